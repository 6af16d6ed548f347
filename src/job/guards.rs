//! Limits that a job sets itself.

use serde::{Deserialize, Serialize};

use crate::model::EntityId;

/// Limits on what a run may do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Guards {
    /// Refuse the run where a tenant would see more changed clients than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_changes: Option<Threshold>,
    /// Stop once more rows have failed than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_failures: Option<Threshold>,
    /// The slices that a run is made in; none for all at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waves: Vec<WaveSize>,
    /// Ids of clients that no rule may change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protect: Vec<EntityId>,
}

/// How many clients a wave takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaveSize {
    /// So many, or such a share of all changed clients, rounded up.
    Of(Threshold),
    /// Whatever is left.
    Rest,
}

impl WaveSize {
    /// Checks that the waves together take every client, so that none is left out by oversight.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(waves: &[Self]) -> Result<(), String> {
        let rest = waves.iter().position(|wave| *wave == Self::Rest);
        let percent: f64 = waves.iter().map(|wave| wave.percent()).sum();
        if waves.contains(&Self::Of(Threshold::Count(0)))
            || waves.contains(&Self::Of(Threshold::Percent(0.0)))
        {
            return Err("a wave of no clients makes no sense".to_owned());
        }
        match rest {
            Some(at) if at + 1 < waves.len() => {
                Err("`rest` takes all that are left, and must be the last wave".to_owned())
            }
            None if percent < 100.0 && !waves.is_empty() => {
                Err("the last wave must be `rest`, else clients would be left out".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn percent(self) -> f64 {
        match self {
            Self::Of(Threshold::Percent(percent)) => percent,
            Self::Of(Threshold::Count(_)) | Self::Rest => 0.0,
        }
    }

    /// How many of `whole` clients it takes, of which so many are left.
    pub fn of(self, whole: usize, left: usize) -> usize {
        let size = match self {
            Self::Rest => left,
            Self::Of(Threshold::Count(count)) => usize::try_from(count).unwrap_or(usize::MAX),
            // 7 % of 100 must be 7: the product is off by less than this, and no share is meant so finely.
            Self::Of(Threshold::Percent(percent)) => (whole as f64 * percent / 100.0 - 1e-9).ceil() as usize,
        };
        size.min(left)
    }
}

impl std::str::FromStr for WaveSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "rest" {
            return Ok(Self::Rest);
        }
        text.parse().map(Self::Of).map_err(|_| {
            format!(
                "`{}` is no wave; write a number such as `1`, a share such as `10%`, or `rest`",
                text.trim()
            )
        })
    }
}

impl std::fmt::Display for WaveSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Of(size) => size.fmt(f),
            Self::Rest => f.write_str("rest"),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(texts: &[&str]) -> Vec<WaveSize> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_share_is_of_all_clients_and_rounded_up_and_rest_takes_what_is_left() {
        let sizes = waves(&["1", "10%", "rest"]);
        assert_eq!(sizes[0].of(95, 95), 1);
        assert_eq!(sizes[1].of(95, 94), 10);
        assert_eq!(sizes[2].of(95, 84), 84);
        assert_eq!(waves(&["7%"])[0].of(100, 100), 7);
        assert_eq!(sizes[1].of(3, 2), 1);
        assert_eq!(sizes[0].of(0, 0), 0);
    }

    #[test]
    fn waves_that_would_leave_clients_out_are_refused() {
        WaveSize::check(&waves(&["1", "50%", "50%"])).unwrap();
        WaveSize::check(&[]).unwrap();
        WaveSize::check(&waves(&["1", "10%"])).unwrap_err();
        WaveSize::check(&waves(&["rest", "1"])).unwrap_err();
        WaveSize::check(&waves(&["0", "rest"])).unwrap_err();
        "a few".parse::<WaveSize>().unwrap_err();
    }
}
