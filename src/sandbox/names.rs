//! Names for made-up clients: such as people give. Central functions: [`sample`] and [`made_up`].

/// The first clients of every sandbox, whatever the seed, so that sample jobs can name them: name, `app_type`.
pub(super) const SAMPLES: [(&str, &str); 40] = [
    ("acme-portal-dev", "spa"),
    ("acme-billing-dev", "regular_web"),
    ("acme-shop-dev", "spa"),
    ("acme-search-dev", "non_interactive"),
    ("acme-mobile-dev", "native"),
    ("acme-admin-dev", "regular_web"),
    ("acme-reports-dev", "non_interactive"),
    ("acme-support-dev", "spa"),
    ("acme-portal-staging", "spa"),
    ("acme-billing-staging", "regular_web"),
    ("acme-shop-staging", "spa"),
    ("acme-search-staging", "non_interactive"),
    ("acme-portal", "spa"),
    ("acme-billing", "regular_web"),
    ("acme-shop", "spa"),
    ("acme-search", "non_interactive"),
    ("acme-mobile", "native"),
    ("acme-admin", "regular_web"),
    ("Billing", "regular_web"),
    ("Billing [DEV]", "regular_web"),
    ("Billing (old, do not use)", "regular_web"),
    ("Customer Portal", "spa"),
    ("Customer Portal - EU", "spa"),
    ("Partner \"Gold\" Portal", "spa"),
    ("Größenberater", "spa"),
    ("予約サイト", "regular_web"),
    ("Caisse & Cie", "regular_web"),
    ("O'Neill's Test App", "native"),
    ("shop-web-dev", "spa"),
    ("shop-web-test", "spa"),
    ("shop-web-prod", "spa"),
    ("shop api prod", "non_interactive"),
    ("Android App", "native"),
    ("iOS App", "native"),
    ("CI Deploy", "non_interactive"),
    ("Nightly Export", "non_interactive"),
    ("Intranet SSO", "regular_web"),
    ("Legacy Login Page", "regular_web"),
    ("=SUM(A1) imported", "regular_web"),
    ("🚀 Launch, Phase 2", "spa"),
];

const PRODUCTS: [&str; 16] = [
    "orders",
    "billing",
    "invoices",
    "catalog",
    "checkout",
    "loyalty",
    "returns",
    "support",
    "campaigns",
    "identity",
    "warehouse",
    "fleet",
    "payroll",
    "surveys",
    "maps",
    "chat",
];
const REGIONS: [&str; 5] = ["eu", "us", "apac", "latam", "global"];
const STAGES: [&str; 4] = ["dev", "test", "staging", "prod"];
const APP_TYPES: [&str; 4] = ["spa", "regular_web", "native", "non_interactive"];

/// The index of the client that bears the same name as the one before it: names are not unique.
pub(super) const TWIN: usize = 50;

/// A name beyond the samples, and the type of application.
pub(super) fn made_up(index: usize, rng: &mut fastrand::Rng) -> (String, &'static str) {
    let app_type = APP_TYPES[index % APP_TYPES.len()];
    if matches!(index, TWIN | 49) {
        return ("Reporting".to_owned(), app_type);
    }
    let pick = |rng: &mut fastrand::Rng, words: &[&'static str]| words[rng.usize(..words.len())];
    let (product, region, stage) = (pick(rng, &PRODUCTS), pick(rng, &REGIONS), pick(rng, &STAGES));
    let name = match rng.u8(..5) {
        0 => format!("{} {} #{index}", capital(product), region.to_uppercase()),
        1 => format!("{} [{}] {index}", capital(product), stage.to_uppercase()),
        2 => format!("{product}_{region}_{stage}_{index}"),
        _ => format!("{product}-{region}-{index}-{stage}"),
    };
    (name, app_type)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
