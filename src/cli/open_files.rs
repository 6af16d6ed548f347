//! How many requests may be in flight in each tenant, so that the connections of all of them stay within what the system
//! allows. Each tenant has its share for itself: one that is slow, or does not answer, holds back no other.

use super::error::CliError;

/// Requests in flight over all tenants together. Two hundred tenants have ten each: enough for 16 a second at half a second each.
const IN_FLIGHT: usize = 2048;
/// What is open beside connections and locks: the terminal, the journal, files that are being written, those of libraries.
const OTHERS: usize = 64;
/// So many open files are asked for, where the system would allow them. Some systems refuse to be asked for all.
#[cfg(unix)]
const WANTED: u64 = 8192;

/// Requests in flight per tenant, at the most: as many as were asked for, or as many as there are for each. `ends` is how many
/// ends of each connection are in this process: two, where the tenants are as well.
///
/// # Errors
/// Where not every tenant could have a connection of its own.
pub(super) fn share(tenants: usize, ends: usize, asked: usize) -> Result<usize, CliError> {
    let files = allowed();
    divide(ends * tenants, asked, files).ok_or_else(|| {
        CliError::setup(format!(
            "{tenants} tenants at once need at least {} open files, and the system allows this process {files}: allow more (`ulimit -n 4096`), or choose fewer tenants at a time; nothing was sent",
            OTHERS + 2 * ends * tenants
        ))
    })
}

/// A tenant needs a file for its lock, and one for each connection.
fn divide(tenants: usize, asked: usize, files: usize) -> Option<usize> {
    let room = files.checked_sub(OTHERS + tenants).filter(|room| *room >= tenants)?;
    let tenants = tenants.max(1);
    let fair = (IN_FLIGHT / tenants).max(2);
    Some(asked.min(fair).min(room / tenants).max(1))
}

/// How many files may be open. Raised as far as the system lets any process: the lower limit guards old programs alone.
#[cfg(unix)]
fn allowed() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    let wanted = limit.maximum.unwrap_or(u64::MAX).min(WANTED);
    let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
    let now = if current < wanted && setrlimit(Resource::Nofile, raised).is_ok() { wanted } else { current };
    usize::try_from(now).unwrap_or(usize::MAX)
}

#[cfg(not(unix))]
fn allowed() -> usize {
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_share_what_there_is_and_each_has_something() {
        assert_eq!(divide(1, 32, 8192), Some(32));
        assert_eq!(divide(200, 32, 8192), Some(10), "two thousand in flight are enough");
        assert_eq!(divide(5000, 32, usize::MAX), Some(2));
        assert_eq!(divide(200, 32, 1024), Some(3), "locks need files as well");
        assert_eq!(divide(200, 1, 1024), Some(1));
        assert_eq!(divide(200, 32, 464), Some(1));
        assert_eq!(divide(200, 32, 463), None);
        assert_eq!(divide(0, 32, 256), Some(32));
    }
}
