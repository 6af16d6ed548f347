//! JSON that patchwave wrote itself. Central function: [`from_own`].

use serde::Deserialize;

/// Levels that are read: a value of a file or an answer has up to 127, and what wraps it in a line of ours adds a few.
const DEEPEST: usize = 160;

/// Reads JSON that patchwave wrote. What it wraps may be as deep as serde_json reads at all, and is deeper in its wrapping.
///
/// # Errors
/// Where it is not JSON of this type, or deeper than anything that was written.
pub fn from_own<'j, T: Deserialize<'j>>(json: &'j [u8]) -> serde_json::Result<T> {
    serde_json::from_slice(json).or_else(|error| {
        if depth(json) > DEEPEST {
            return Err(error);
        }
        let mut reader = serde_json::Deserializer::from_slice(json);
        reader.disable_recursion_limit();
        let value = T::deserialize(&mut reader)?;
        reader.end()?;
        Ok(value)
    })
}

/// Brackets that are open at once, at most; those in texts are none.
fn depth(json: &[u8]) -> usize {
    let (mut open, mut deepest, mut text, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'{' | b'[' if !text => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' if !text => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn nested(levels: usize) -> String {
        format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn what_is_deeper_than_an_answer_can_be_is_read_and_what_would_fill_the_stack_is_refused() {
        for levels in [0, 127, 128, DEEPEST] {
            from_own::<Value>(nested(levels).as_bytes()).unwrap();
        }
        for levels in [DEEPEST + 1, 1_000_000] {
            from_own::<Value>(nested(levels).as_bytes()).unwrap_err();
            from_own::<Value>("[".repeat(levels).as_bytes()).unwrap_err();
        }
        from_own::<Value>(b"[1] 2").unwrap_err();
    }

    #[test]
    fn brackets_in_texts_are_no_levels() {
        assert_eq!(depth(br#"{"[[[": "\"[[\\", "a": [{}], "b": []}"#), 3);
    }
}
