//! Work for many tenants, done beside each other.

use tokio::task::JoinSet;

/// Runs these beside each other, on all cores, and tells what they came to in their order. Dropped, it ends them.
pub(super) async fn all<T: Send + 'static>(
    work: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut running = JoinSet::new();
    for (place, one) in work.into_iter().enumerate() {
        running.spawn(async move { (place, one.await) });
    }
    let mut done = Vec::with_capacity(running.len());
    while let Some(one) = running.join_next().await {
        match one {
            Ok(one) => done.push(one),
            // A defect: it goes on here, as if there were no tasks.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Nobody ends one of them while this waits for it.
            Err(_) => (),
        }
    }
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_ends_last_keeps_its_place() {
        let after = |seconds| async move {
            tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
            seconds
        };
        assert_eq!(all([3, 1, 2].map(after)).await, [3, 1, 2]);
    }
}
