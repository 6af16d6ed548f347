//! That nothing costs more the more clients there are.

use super::*;

/// Counts how long a hundred PATCHes, straight into the tenant, take.
async fn hundred_patches(clients: usize) -> Duration {
    let caller = Caller::with(|options| options.clients = clients).await;
    let id = caller.id_of("acme-portal-dev");
    let tenant = &caller.tenant().tenant;
    let claims = tenant.authenticate(Some(&format!("Bearer {}", caller.token))).unwrap();
    let route = call::Route::patch(crate::catalogue::default_kind(), &id);
    let start = tokio::time::Instant::now();
    for n in 0..100 {
        let body = json!({"name": format!("n{n}")}).to_string();
        assert_eq!(tenant.execute(&route, "", body.as_bytes(), &claims).status, 200);
    }
    start.elapsed()
}

#[tokio::test]
async fn a_patch_costs_the_same_in_a_large_tenant() {
    let small = hundred_patches(50).await;
    let large = hundred_patches(5_000).await;
    // A hundred times the clients: anything that walks them would take far more than ten times as long.
    assert!(
        large < small * 10 + Duration::from_millis(20),
        "{small:?} with 50 clients, {large:?} with 5,000"
    );
}
