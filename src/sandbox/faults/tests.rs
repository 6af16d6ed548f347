//! What is read of a text of faults, and which request is hit.

use std::time::Duration;

use super::*;
use crate::sandbox::traffic::Window;

#[test]
fn a_text_is_read_part_by_part() {
    let faults: Faults =
        "503=5%, patch:reset-after=#2, expire-token-after=100, competing=90/min".parse().unwrap();
    assert_eq!(faults.expire_token_after, Some(100));
    assert_eq!(faults.competing, [Competing { per_second: 1.5, random: false, window: None }]);
    let state = FaultState::new(faults);
    assert_eq!(state.strike(Call::Get, 0.049), Some(Effect::Status(503)));
    assert_eq!(state.strike(Call::Get, 0.051), None);
    assert_eq!(state.strike(Call::Token, 0.0), None, "the token endpoint is spared unless named");
    assert_eq!(state.strike(Call::Patch, 0.9), None);
    assert_eq!(state.strike(Call::Patch, 0.9), Some(Effect::ResetAfter), "the second patch");
    assert_eq!(state.strike(Call::Patch, 0.9), None);
}

#[test]
fn other_traffic_and_limits_come_and_go_at_times_that_are_told() {
    let text = "competing=4/s@500ms, competing-random=8/s@0s-12s, limit=25,8/s@5s, limit=10,2/s+60,60/min@1min, 503=5%";
    let faults: Faults = text.parse().unwrap();
    let window = |from, to: Option<u64>| {
        Some(Window { from: Duration::from_millis(from), to: to.map(Duration::from_millis) })
    };
    assert_eq!(
        faults.competing,
        [
            Competing { per_second: 4.0, random: false, window: window(500, None) },
            Competing { per_second: 8.0, random: true, window: window(0, Some(12_000)) },
        ]
    );
    let changes: Vec<_> =
        faults.limits.iter().map(|c| (c.after.as_secs(), c.limits.first.burst, c.limits.second)).collect();
    assert_eq!(changes[0], (5, 25, None));
    assert_eq!((changes[1].0, changes[1].1, changes[1].2.unwrap().burst), (60, 10, 60));
    assert_eq!(FaultState::new(faults).strike(Call::Get, 0.0), Some(Effect::Status(503)));
}

#[test]
fn every_word_for_what_goes_wrong_is_named_where_a_word_is_not_known() {
    let message = "fire=5%".parse::<Faults>().unwrap_err().to_string();
    for (word, effect) in [
        ("reset-before", Effect::ResetBefore),
        ("reset-after", Effect::ResetAfter),
        ("hang", Effect::Hang),
        ("hang-after", Effect::HangAfter),
        ("truncate", Effect::Truncate),
        ("malformed", Effect::Malformed),
    ] {
        let state = FaultState::new(format!("{word}=100%").parse().unwrap());
        assert_eq!(state.strike(Call::Get, 0.5), Some(effect), "{word}");
        assert!(message.contains(&format!("`{word}`")), "{word}: {message}");
    }
}

#[test]
fn a_bad_text_is_refused_naming_what_is_allowed() {
    for (text, said) in [
        ("503", "`503` is not a fault"),
        ("fire=5%", "no fault is called `fire`"),
        ("somewhere:503=5%", "no fault is called `somewhere`"),
        ("200=5%", "no fault is called `200`"),
        ("503=5", "`503=5`: `5%` or `#3` is expected"),
        ("503=101%", "`503=101%`"),
        ("hang=#0", "`hang=#0`"),
        ("competing=8", "`8/s`"),
        ("competing=8/s@12s-5s", "`8/s@5s-12s`"),
        ("competing=8/s@5", "`8/s@5s-12s`"),
        ("limit=25,8/s", "`25,8/s@5s`"),
        ("limit=25@5s", "`25,8/s@5s`"),
        ("limit=0,8/s@5s", "`25,8/s@5s`"),
        ("expire-token-after=0", "above 0"),
        ("503=60%,patch:hang=50%", "patch calls add up"),
    ] {
        let message = text.parse::<Faults>().unwrap_err().to_string();
        assert!(message.contains(said), "{text}: {message}");
    }
    let message = "fire=5%".parse::<Faults>().unwrap_err().to_string();
    assert!(message.contains("reset-before") && message.contains("token"), "{message}");
}
