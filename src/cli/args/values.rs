//! Values of flags that have a form of their own.

use std::time::Duration;

use encoding_rs::Encoding;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use crate::plan::Part;

/// `NAME=VALUE`; the value may hold anything.
pub(super) fn parse_var(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// An encoding by any of its names on the web.
pub(super) fn parse_encoding(text: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(text.trim().as_bytes()).ok_or_else(|| {
        "no such encoding; spreadsheets in Europe write windows-1252, in Japan shift_jis".to_owned()
    })
}

/// `5/s`, `100/min`, or a bare number per second.
pub(super) fn parse_rate(text: &str) -> Result<f64, String> {
    let (number, per) = match text.split_once('/') {
        None => (text, 1.0),
        Some((number, "s" | "sec")) => (number, 1.0),
        Some((number, "m" | "min")) => (number, 60.0),
        Some((_, unit)) => return Err(format!("`{unit}` is no unit of time here: use /s or /min")),
    };
    let rate: f64 = number.trim().parse().map_err(|_| format!("`{number}` is not a number"))?;
    if rate.is_finite() && rate > 0.0 { Ok(rate / per) } else { Err("the rate must be above 0".to_owned()) }
}

/// `50%`, as a fraction.
pub(super) fn parse_share(text: &str) -> Result<f64, String> {
    crate::config::parse_share(text).ok_or_else(|| format!("`{text}` is no share such as 50%"))
}

/// `500ms`, `30s`, `5m`, `2h`; a bare number is seconds.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| format!("`{text}` is not a time such as 30s or 5m"))?;
    let seconds = match unit.trim() {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        unit => return Err(format!("`{unit}` is no unit of time: use ms, s, m or h")),
    };
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|d| !d.is_zero())
        .ok_or_else(|| "the time must be above 0".to_owned())
}

/// The same with `d` for days, as ages are told.
pub(super) fn parse_age(text: &str) -> Result<Duration, String> {
    match text.trim().strip_suffix('d') {
        Some(days) => days
            .parse::<u32>()
            .map(|days| Duration::from_secs(u64::from(days) * 24 * 60 * 60))
            .map_err(|_| format!("`{text}` is not an age such as 90d")),
        None => parse_duration(text),
    }
}

/// A moment of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// So long before the command began.
    Ago(Duration),
    /// This one, wherever one is.
    At(Timestamp),
    /// When a clock on the wall here showed this.
    Local(DateTime),
}

/// `now`, `2h`, `2026-11-28`, `2026-11-28T09:00`, or a whole timestamp such as `2026-11-28T09:00:00Z`.
pub(super) fn parse_moment(text: &str) -> Result<Moment, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(Moment::Ago(Duration::ZERO));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Moment::At(at));
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return Ok(Moment::Local(at));
    }
    if let Ok(day) = text.parse::<Date>() {
        return Ok(Moment::Local(day.to_datetime(Time::midnight())));
    }
    parse_age(text).map(Moment::Ago).map_err(|_| {
        format!("`{text}` is neither a time such as 2026-11-28T09:00 (or with Z, in UTC) nor an age such as 2h or 1d")
    })
}

impl Moment {
    /// The moment; `None` where the calendar does not have it.
    pub fn from(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Ago(age) => now.checked_sub(age).ok(),
            Self::Local(at) => at.to_zoned_datetime(zone.clone()).ok().map(|at| at.timestamp()),
        }
    }
}

/// `--shard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardArg {
    /// This part.
    Part(Part),
    /// The one that the environment names.
    Auto,
}

/// `2/4`, or `auto`.
pub(super) fn parse_shard(text: &str) -> Result<ShardArg, String> {
    if text.trim() == "auto" {
        return Ok(ShardArg::Auto);
    }
    let part = || {
        let (index, of) = text.split_once('/')?;
        Part::new(index.trim().parse().ok()?, of.trim().parse().ok()?)
    };
    part().map(ShardArg::Part).ok_or_else(|| "write I/N, such as 1/4 to 4/4, or auto".to_owned())
}

/// When no more rows are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// So long from the start of the command.
    After(Duration),
    /// The next time that a clock on the wall here shows this.
    At(Time),
}

/// `30m`, or a time of day such as `03:00`.
pub(super) fn parse_deadline(text: &str) -> Result<Deadline, String> {
    if !text.contains(':') {
        let wrong = |_| format!("`{text}` is neither a time such as 30m nor one of the day such as 03:00");
        return parse_duration(text).map(Deadline::After).map_err(wrong);
    }
    let time = text.trim().parse().map_err(|_| format!("`{text}` is no time of day such as 03:00"))?;
    Ok(Deadline::At(time))
}

impl Deadline {
    /// How long from now on; `None` where the calendar ends before it comes.
    pub fn from(self, now: &ZonedDateTime) -> Option<Duration> {
        let at = match self {
            Self::After(duration) => return Some(duration),
            Self::At(time) => time,
        };
        let today = now.date().to_datetime(at).to_zoned_datetime(now.time_zone().clone()).ok()?;
        let next = if today > *now {
            today
        } else {
            now.date().tomorrow().ok()?.to_datetime(at).to_zoned_datetime(now.time_zone().clone()).ok()?
        };
        Duration::try_from(now.duration_until(&next)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_here_or_anywhere_or_an_age() {
        let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let at = |text: &str| parse_moment(text).unwrap().from(now, &zone).unwrap().to_string();
        assert_eq!(at("now"), "2026-11-28T12:00:00Z");
        assert_eq!(at("2h"), "2026-11-28T10:00:00Z");
        assert_eq!(at("1d"), "2026-11-27T12:00:00Z");
        assert_eq!(at("2026-11-28"), "2026-11-27T22:00:00Z");
        assert_eq!(at("2026-11-28T09:00"), "2026-11-28T07:00:00Z");
        assert_eq!(at("2026-11-28T09:00:00+00:00"), "2026-11-28T09:00:00Z");
        for wrong in ["yesterday", "", "25:00", "2026-13-01"] {
            parse_moment(wrong).unwrap_err();
        }
    }

    #[test]
    fn shards_are_counted_from_1() {
        let part = Part::new(4, 4).unwrap();
        assert_eq!((parse_shard("4/4"), parse_shard("auto")), (Ok(ShardArg::Part(part)), Ok(ShardArg::Auto)));
        for wrong in ["0/4", "5/4", "4", "1/0", "a/b", ""] {
            parse_shard(wrong).unwrap_err();
        }
    }

    #[test]
    fn a_time_of_day_is_the_next_one_on_a_local_clock() {
        let now: ZonedDateTime = "2026-11-24T22:30:00+01:00[Europe/Berlin]".parse().unwrap();
        let until = |text: &str| parse_deadline(text).unwrap().from(&now).unwrap().as_secs();
        assert_eq!(until("03:00"), 4 * 3600 + 1800);
        assert_eq!(until("23:00:30"), 1830);
        assert_eq!(until("22:30"), 24 * 3600);
        assert_eq!(until("90s"), 90);
        // The night in which clocks are set back has an hour more.
        let night: ZonedDateTime = "2026-10-24T22:00:00+02:00[Europe/Berlin]".parse().unwrap();
        assert_eq!(parse_deadline("04:00").unwrap().from(&night).unwrap().as_secs(), 7 * 3600);
        for wrong in ["soon", "25:00", "3:", ""] {
            parse_deadline(wrong).unwrap_err();
        }
    }
}
