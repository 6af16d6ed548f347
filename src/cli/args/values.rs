//! Values of flags that have a form of their own.

use std::time::Duration;

use encoding_rs::Encoding;

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
