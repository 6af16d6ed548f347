//! What is read of a text of faults, and which request is hit.

use super::*;

#[test]
fn a_text_is_read_part_by_part() {
    let faults: Faults =
        "503=5%, patch:reset-after=#2, expire-token-after=100, competing=90/min".parse().unwrap();
    assert_eq!(faults.expire_token_after, Some(100));
    assert_eq!(faults.competing, Some(Competing { per_second: 1.5, random: false }));
    let state = FaultState::new(faults);
    assert_eq!(state.strike(Call::Get, 0.049), Some(Effect::Status(503)));
    assert_eq!(state.strike(Call::Get, 0.051), None);
    assert_eq!(state.strike(Call::Token, 0.0), None, "the token endpoint is spared unless named");
    assert_eq!(state.strike(Call::Patch, 0.9), None);
    assert_eq!(state.strike(Call::Patch, 0.9), Some(Effect::ResetAfter), "the second patch");
    assert_eq!(state.strike(Call::Patch, 0.9), None);
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
        ("expire-token-after=0", "above 0"),
        ("503=60%,patch:hang=50%", "patch calls add up"),
    ] {
        let message = text.parse::<Faults>().unwrap_err().to_string();
        assert!(message.contains(said), "{text}: {message}");
    }
    let message = "fire=5%".parse::<Faults>().unwrap_err().to_string();
    assert!(message.contains("reset-before") && message.contains("token"), "{message}");
}
