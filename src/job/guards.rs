//! Limits that a job sets itself.

use serde::{Deserialize, Serialize};

/// Limits on what a run may do.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Guards {
    /// Refuse the run where a tenant would see more changed clients than this.
    pub max_changes: Option<Threshold>,
    /// Stop once more rows have failed than this.
    pub max_failures: Option<Threshold>,
}

/// `30%` or `12`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// So many.
    Count(u64),
    /// So many per cent of the whole.
    Percent(f64),
}

impl Threshold {
    /// How many of `whole` this allows, rounded down.
    pub fn of(self, whole: usize) -> u64 {
        match self {
            Self::Count(count) => count,
            // Truncation is the meaning: 30 % of 9 allows 2.
            Self::Percent(percent) => (whole as f64 * percent / 100.0).floor() as u64,
        }
    }
}

impl Guards {
    /// The stricter of two of a kind, for a whole of this size.
    pub fn strictest(of: impl IntoIterator<Item = Option<Threshold>>, whole: usize) -> Option<Threshold> {
        of.into_iter().flatten().min_by_key(|threshold| threshold.of(whole))
    }
}

impl std::str::FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is neither a number such as `12` nor a share such as `30%`");
        match text.trim().strip_suffix('%') {
            Some(percent) => percent
                .trim()
                .parse()
                .ok()
                .filter(|p| (0.0..=100.0).contains(p))
                .map(Self::Percent)
                .ok_or_else(wrong),
            None => text.trim().parse().map(Self::Count).map_err(|_| wrong()),
        }
    }
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// How many clients an update must select: `12`, `">=1"`, `"3..5"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// At least so many.
    pub least: usize,
    /// At most so many; `None` for no bound.
    pub most: Option<usize>,
}

impl Count {
    /// Whether so many are as asked.
    pub fn allows(self, found: usize) -> bool {
        found >= self.least && self.most.is_none_or(|most| found <= most)
    }
}

impl std::str::FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no number of clients; write 12, \">=1\" or \"3..5\"");
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| wrong());
        if let Some(least) = text.trim().strip_prefix(">=") {
            return Ok(Self { least: number(least)?, most: None });
        }
        let (least, most) = match text.split_once("..") {
            Some((least, most)) => (number(least)?, number(most)?),
            None => (number(text)?, number(text)?),
        };
        if least > most { Err(wrong()) } else { Ok(Self { least, most: Some(most) }) }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.most {
            None => write!(f, ">={}", self.least),
            Some(most) if most == self.least => write!(f, "{most}"),
            Some(most) => write!(f, "{}..{most}", self.least),
        }
    }
}
