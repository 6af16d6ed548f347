//! Templates and expressions of TOML jobs: minijinja, strict, with a scope of the job's own.
//!
//! Central types: [`Template`] (a text with `{{ … }}` in it), [`Expression`] (a `where`) and [`Scope`] (what they see).
//! Pure: a template sees what its scope holds and nothing else. Uses `model` and `catalogue`.
//!
//! `scan` finds the code in a text, `uses` what that code refers to, `words` and
//! `comparisons` what in it cannot be meant, `engine` is minijinja with our filters and tests;
//! `node` and `absent` are the values that it meets, and `notes` what they have to tell.

mod absent;
mod comparisons;
mod engine;
mod expression;
mod ids;
mod node;
mod notes;
mod outcome;
mod scan;
mod scope;
mod uses;
mod vars;
mod words;

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;

use super::Pattern;
use crate::catalogue::Kind;
use engine::ENGINE;
use outcome::{empty_in_text, foreign, none_in_text, rendered, syntax, syntax_somewhere, told};
use scan::{Part, with_absent, with_order};

pub use expression::Expression;
pub use ids::Ids;
pub use outcome::{RenderFault, Rendered};
pub use scope::{RowCells, Scope, TenantScope};
pub use uses::{Uses, Wrong};

/// A text with code in it.
#[derive(Debug, PartialEq)]
pub struct Template {
    source: String,
    form: Form,
    uses: Uses,
}

#[derive(Debug, PartialEq)]
enum Form {
    /// One expression and nothing else: its value keeps its type.
    Whole(Expression),
    /// Text with expressions in it.
    Pieces(Vec<Piece>),
    /// With statements, comments or raw blocks: the engine renders it as a whole.
    Blocks(String),
}

#[derive(Debug, PartialEq)]
enum Piece {
    Text(String),
    Expression(Expression),
}

impl Template {
    /// Compiles a template.
    ///
    /// # Errors
    /// Everything that is wrong with it, as far as that can be known without a client.
    pub fn parse(source: &str, kind: &Kind) -> Result<Self, Vec<Wrong>> {
        let parts = scan::parts(source).map_err(|unclosed| {
            let what = format!("`{}` is opened and never closed", &source[unclosed.at..unclosed.at + 2]);
            let help = format!(
                "close it with `{}`, or write a CSV job, whose cells are plain text",
                unclosed.closing
            );
            vec![Wrong::new(what, unclosed.at..unclosed.at + 2).help(help)]
        })?;
        let mut wrong = Vec::new();
        let mut references = BTreeSet::new();
        for part in &parts {
            if let Part::Expression(at) | Part::Statement(at) = part {
                let code = source[at.clone()].trim_matches(['-', '+']);
                let base = at.start + source[at.clone()].find(code).unwrap_or_default();
                wrong.extend(foreign(code, base));
                wrong.extend(words::unknown_words(code, base));
                wrong.extend(comparisons::mistyped(kind, code, base));
                match ids::referenced(code, base) {
                    Ok(kinds) => references.extend(kinds),
                    Err(misspelt) => wrong.push(misspelt),
                }
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let form = Form::of(source, &parts).map_err(|syntax| vec![syntax])?;
        let mut uses = form.uses().map_err(|error| vec![syntax_somewhere(&error, source, 0)])?;
        uses.references.extend(references);
        wrong.extend(uses.misspelt(kind, source));
        if wrong.is_empty() { Ok(Self { source: source.to_owned(), form, uses }) } else { Err(wrong) }
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Variables that it cannot do without.
    pub fn needed_vars(&self) -> BTreeSet<String> {
        vars::needed(&self.source)
    }

    /// What it refers to.
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Whether it is one whole `{{ row.X … }}`: then a text that comes out is read as a cell.
    pub fn is_row_value(&self) -> bool {
        let Form::Whole(only) = &self.form else { return false };
        let tokens = scan::tokens(&only.source);
        // What is joined to something else is longer text.
        tokens.first().is_some_and(|token| token.text == "row")
            && tokens.iter().all(|token| token.text != "~")
    }

    /// The variable that it is, where it is one and nothing else: `{{ vars.NAME }}`.
    pub fn variable(&self) -> Option<String> {
        let Form::Whole(only) = &self.form else { return None };
        let tokens: Vec<&str> = scan::tokens(&only.source).iter().map(|token| token.text).collect();
        match tokens.as_slice() {
            ["vars", ".", name] => Some((*name).to_owned()),
            ["vars", "[", name, "]"] => Some(name.trim_matches(['"', '\'']).to_owned()),
            _ => None,
        }
    }

    /// Its value where that is the same for every client: a raw block, an expression of literals.
    ///
    /// # Errors
    /// Where it has none for any client.
    pub fn constant(&self) -> Result<Option<Value>, RenderFault> {
        if !self.uses.nothing() {
            return Ok(None);
        }
        Ok(match self.render(&Scope::default())? {
            Rendered::Value(value) => Some(value),
            Rendered::Nothing { .. } => None,
        })
    }

    /// Whether what comes out keeps the type that the expression gives it.
    pub fn keeps_its_type(&self) -> bool {
        matches!(self.form, Form::Whole(_))
    }

    /// The text that stands around its expressions, as far as every value of it holds that text.
    pub fn certain_text(&self) -> Vec<&str> {
        let Form::Pieces(pieces) = &self.form else { return Vec::new() };
        let texts = pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            Piece::Expression(_) => None,
        });
        texts.collect()
    }

    /// Its value in a scope.
    ///
    /// # Errors
    /// Where it has none: a name that does not exist, none inside text, a filter that does not take what it is given.
    pub fn render(&self, scope: &Scope) -> Result<Rendered, RenderFault> {
        let Form::Whole(expression) = &self.form else {
            return self.text(scope, |text| Ok(text.to_owned())).map(|text| Rendered::Value(text.into()));
        };
        let (value, notes) = expression.eval(scope)?;
        if let Some(column) = &notes.empty_cell
            && !self.is_row_value()
            && !provides_for_nothing(&expression.source)
        {
            return Err(empty_in_text(scope, column));
        }
        Ok(match rendered(&value)? {
            // Nothing came out, since there was nothing to go through.
            Rendered::Value(value) if is_empty(&value) && notes.iterated.is_some() => {
                Rendered::Nothing { of: notes.iterated }
            }
            rendered => rendered,
        })
    }

    /// Its text as a pattern: stars that stand in the template are stars, what expressions insert is literal.
    ///
    /// # Errors
    /// As [`Self::render`]; where an expression inserts nothing, since the pattern would fit more than was meant; and where
    /// it has statements, in which the two cannot be told apart.
    pub fn pattern(&self, scope: &Scope) -> Result<Pattern, RenderFault> {
        let literal = |text: &str| match text {
            "" => {
                let what = format!("a part of `{}` is empty, and more would fit than is meant", self.source);
                Err(RenderFault::new(what).help("give it a value, or leave it out of the pattern"))
            }
            text => Ok(text.replace('\\', "\\\\").replace('*', "\\*")),
        };
        match &self.form {
            Form::Blocks(_) if self.uses.nothing() => {
                Ok(Pattern::literal(&self.text(scope, |text| Ok(text.to_owned()))?))
            }
            Form::Blocks(_) => Err(RenderFault::new("a `match` takes `{{ … }}` and no `{% … %}`")),
            _ => Ok(Pattern::glob(&self.text(scope, literal)?)),
        }
    }

    /// The text; `insert` is what is made of each expression's own.
    fn text(
        &self,
        scope: &Scope,
        insert: impl Fn(&str) -> Result<String, RenderFault>,
    ) -> Result<String, RenderFault> {
        let pieces = match &self.form {
            Form::Whole(expression) => return insert(&text_of(expression, scope)?),
            Form::Pieces(pieces) => pieces,
            Form::Blocks(source) => {
                let (text, notes) = notes::taking(|| ENGINE.render_str(source, scope.value()));
                let text = told(text, &notes)?;
                return match &notes.empty_cell {
                    Some(column) if !provides_for_nothing(source) => Err(empty_in_text(scope, column)),
                    _ => Ok(text),
                };
            }
        };
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Expression(expression) => out.push_str(&insert(&text_of(expression, scope)?)?),
            }
        }
        Ok(out)
    }
}

/// The text of an expression, to stand inside longer text.
fn text_of(expression: &Expression, scope: &Scope) -> Result<String, RenderFault> {
    let (value, notes) = expression.eval(scope)?;
    let (text, printing) = notes::taking(|| engine::as_text(&value));
    let text = told(text, &printing)?;
    if let Some(column) = notes.empty_cell.filter(|_| !provides_for_nothing(&expression.source)) {
        return Err(empty_in_text(scope, &column));
    }
    match notes.iterated.filter(|_| text.is_empty()) {
        Some(path) => Err(none_in_text(&path)),
        None => Ok(text),
    }
}

/// Whether code has words by which it says what to do where there is nothing.
fn provides_for_nothing(code: &str) -> bool {
    scan::tokens(code).iter().any(|token| matches!(token.text, "if" | "or" | "default" | "d"))
}

/// Whether a value has nothing in it.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

impl Form {
    fn of(source: &str, parts: &[Part]) -> Result<Self, Wrong> {
        // `{{-` takes the blanks before it away, which is for the engine to do.
        let trims = |at: &Range<usize>| {
            source[at.clone()].starts_with(['-', '+']) || source[at.clone()].ends_with(['-', '+'])
        };
        if let [Part::Expression(at)] = parts {
            let code = source[at.clone()].trim_start_matches(['-', '+']).trim_end_matches('-');
            let base = at.start + source[at.clone()].find(code).unwrap_or_default();
            return Expression::compile(code, base).map(Self::Whole);
        }
        let simple = parts.iter().all(|part| match part {
            Part::Text(_) => true,
            Part::Expression(at) => !trims(at),
            Part::Statement(_) | Part::Opaque => false,
        });
        if !simple {
            // Where something is wrong is said of code that is as long as what was written.
            let plain = rewritten(source, parts, with_absent);
            ENGINE.template_from_str(&plain).map_err(|error| syntax(&error, &plain, 0))?;
            return Ok(Self::Blocks(rewritten(source, parts, |code| with_order(&with_absent(code)))));
        }
        let mut pieces = Vec::new();
        for part in parts {
            match part {
                Part::Expression(at) => {
                    pieces.push(Piece::Expression(Expression::compile(&source[at.clone()], at.start)?));
                }
                Part::Text(at) => pieces.push(Piece::Text(source[at.clone()].to_owned())),
                Part::Statement(_) | Part::Opaque => (),
            }
        }
        Ok(Self::Pieces(pieces))
    }

    /// What it refers to; code with statements is compiled here for the first time.
    fn uses(&self) -> Result<Uses, minijinja::Error> {
        let mut uses = Uses::default();
        match self {
            Self::Whole(expression) => uses.merge(&expression.uses),
            Self::Pieces(pieces) => {
                for piece in pieces {
                    if let Piece::Expression(expression) = piece {
                        uses.merge(&expression.uses);
                    }
                }
            }
            Self::Blocks(source) => {
                let template = ENGINE.template_from_str(source)?;
                uses.add(template.undeclared_variables(false), template.undeclared_variables(true));
            }
        }
        Ok(uses)
    }
}

/// Whether a text of a TOML job is a template.
pub fn is_template(text: &str) -> bool {
    scan::is_template(text)
}

/// The template that gives this very text, whatever it holds.
///
/// ```
/// assert_eq!(patchwave::job::template::escaped("Shop {{ old }}"), "{% raw %}Shop {{ old }}{% endraw %}");
/// assert_eq!(patchwave::job::template::escaped("Shop"), "Shop");
/// ```
pub fn escaped(text: &str) -> String {
    if !is_template(text) {
        text.to_owned()
    } else if !text.contains("endraw") {
        format!("{{% raw %}}{text}{{% endraw %}}")
    } else {
        // A raw block would end too early; an expression that is a text holds anything.
        let quoted =
            text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
        format!("{{{{ \"{quoted}\" }}}}")
    }
}

/// The source with its code made ready for the engine by `ready`; raw blocks and comments are left alone.
fn rewritten(source: &str, parts: &[Part], ready: impl Fn(&str) -> String) -> String {
    let mut out = source.to_owned();
    // From the end, so that the places before stay.
    for part in parts.iter().rev() {
        if let Part::Expression(at) | Part::Statement(at) = part {
            out.replace_range(at.clone(), &ready(&source[at.clone()]));
        }
    }
    out
}

#[cfg(test)]
mod tests;
