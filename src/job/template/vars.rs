//! The variables that a template cannot do without. Central function: [`needed`].

use std::collections::BTreeSet;

use super::provides_for_nothing;
use super::scan::{Part, TokenKind, parts, tokens};

/// Names of variables that the code of a template reads, but where it says itself what to do without them.
pub(super) fn needed(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for part in parts(source).unwrap_or_default() {
        let (Part::Expression(at) | Part::Statement(at)) = part else { continue };
        let code = &source[at];
        if provides_for_nothing(code) {
            continue;
        }
        let tokens = tokens(code);
        for (at, token) in tokens.iter().enumerate() {
            let behind = |steps: usize| tokens.get(at + steps).map_or("", |token| token.text);
            let before = at.checked_sub(1).map_or("", |at| tokens[at].text);
            if token.text != "vars" || before == "." {
                continue;
            }
            match (behind(1), tokens.get(at + 2)) {
                (".", Some(name)) if name.kind == TokenKind::Word => drop(names.insert(name.text.to_owned())),
                ("[", Some(name)) if name.kind == TokenKind::Text => {
                    names.insert(name.text.trim_matches(['"', '\'']).to_owned());
                }
                _ => (),
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_must_be_given_are_told_from_those_that_need_not() {
        let names = |source: &str| needed(source).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(names("https://{{ vars.host }}/{{ vars['a b'] | lower }}{{ row.vars }}"), "a b host");
        assert_eq!(names("{{ vars.host | default('x') }} {% raw %}{{ vars.y }}{% endraw %} vars.z"), "");
    }
}
