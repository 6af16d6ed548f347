//! Code that has a value. Central type: [`Expression`].

use std::fmt;

use minijinja::Value as Shown;

use super::Kind;
use super::engine::ENGINE;
use super::ids;
use super::notes::{self, Notes};
use super::outcome::{RenderFault, foreign, syntax, syntax_somewhere, told};
use super::scan::{with_absent, with_order};
use super::scope::Scope;
use super::uses::{Uses, Wrong};
use super::{comparisons, words};

/// Bytes of code in one expression.
const LONGEST: usize = 10_000;

/// Code that has a value.
pub struct Expression {
    pub(super) source: String,
    compiled: minijinja::Expression<'static, 'static>,
    pub(super) uses: Uses,
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// Everything that is wrong with it, as far as that can be known without a client.
    pub fn parse(source: &str, kind: &Kind) -> Result<Self, Vec<Wrong>> {
        let mut this = Self::compile(source, 0).map_err(|wrong| vec![wrong])?;
        this.uses.references = ids::referenced(source, 0).map_err(|wrong| vec![wrong])?;
        let mut wrong = words::unknown_words(source, 0);
        wrong.extend(comparisons::mistyped(kind, source, 0));
        wrong.extend(this.uses.misspelt(kind, source));
        if wrong.is_empty() { Ok(this) } else { Err(wrong) }
    }

    /// `base` is where the code begins in its template.
    pub(super) fn compile(source: &str, base: usize) -> Result<Self, Wrong> {
        // What nobody writes, and what no stack holds once it nests.
        if source.len() > LONGEST {
            return Err(Wrong::new("the code is too long", base..base + source.len()));
        }
        if let Some(wrong) = foreign(source, base) {
            return Err(wrong);
        }
        let compile = |code: String| ENGINE.compile_expression_owned(code);
        let plain = with_absent(source);
        let compiled = compile(plain.clone()).map_err(|error| syntax(&error, source, base))?;
        let mut uses = Uses::default();
        uses.add(compiled.undeclared_variables(false), compiled.undeclared_variables(true));
        // In brackets once more: whatever the engine takes for the end of the code, the closing bracket must come next.
        let compiled = compile(format!("({})", with_order(&plain)))
            .map_err(|error| syntax_somewhere(&error, source, base))?;
        Ok(Self { source: source.to_owned(), compiled, uses })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it refers to.
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// The value, and what was noted on the way.
    pub(super) fn eval(&self, scope: &Scope) -> Result<(Shown, Notes), RenderFault> {
        let (value, notes) = notes::taking(|| self.compiled.eval(scope.value()));
        Ok((told(value, &notes)?, notes))
    }

    /// Whether it holds: none, false, 0, and what is empty do not.
    ///
    /// # Errors
    /// Where it cannot be evaluated.
    pub fn holds(&self, scope: &Scope) -> Result<bool, RenderFault> {
        Ok(self.eval(scope)?.0.is_true())
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({})", self.source)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}
