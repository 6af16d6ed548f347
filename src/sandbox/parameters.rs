//! The parameters of a query, checked in the words of the service. Central type: [`Parameters`].

use super::oauth::form_pairs;
use super::reply::Refusal;
use super::view::Projection;

/// What a query names, decoded.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// # Errors
    /// 400 for a parameter that is not among those known.
    pub(super) fn read(query: &str, known: &[&str]) -> Result<Self, Refusal> {
        let pairs: Vec<_> = form_pairs(query).collect();
        let extra: Vec<&str> =
            pairs.iter().map(|(key, _)| key.as_str()).filter(|key| !known.contains(key)).collect();
        if extra.is_empty() {
            return Ok(Self(pairs));
        }
        let message =
            format!("Query validation error: 'Additional properties not allowed: {}'.", extra.join(","));
        Err(Refusal::new(400, message).code("invalid_query_string"))
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may be given more than once.
    pub(super) fn all(&self, key: &str) -> Vec<String> {
        self.0.iter().filter(|(name, _)| name == key).map(|(_, value)| value.clone()).collect()
    }

    /// # Errors
    /// 400 for what is no whole number, or one out of range.
    pub(super) fn number(&self, key: &str, least: usize, most: usize) -> Result<Option<usize>, Refusal> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let wrong_type = || Refusal::query("Expected type integer but found type string", key);
        let number = text.parse::<i64>().map_err(|_| wrong_type())?;
        let Some(number) = usize::try_from(number).ok().filter(|number| *number >= least) else {
            return Err(Refusal::query(&format!("Value {number} is less than minimum {least}"), key));
        };
        if number > most {
            return Err(Refusal::query(&format!("Value {number} is greater than maximum {most}"), key));
        }
        Ok(Some(number))
    }

    /// # Errors
    /// 400 for a text that is too short or too long.
    pub(super) fn length(&self, key: &str, least: usize, most: usize) -> Result<(), Refusal> {
        let Some(text) = self.get(key) else { return Ok(()) };
        let length = text.chars().count();
        if length < least {
            return Err(Refusal::query(
                &format!("String is too short ({length} chars), minimum {least}"),
                key,
            ));
        }
        if length > most {
            return Err(Refusal::query(&format!("String is too long ({length} chars), maximum {most}"), key));
        }
        Ok(())
    }

    /// # Errors
    /// 400 for what is neither `true` nor `false`.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, Refusal> {
        match self.get(key) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Refusal::query("Expected type boolean but found type string", key)),
        }
    }

    /// # Errors
    /// 400 for an `include_fields` that is no boolean.
    pub(super) fn projection(&self) -> Result<Projection, Refusal> {
        Ok(Projection::of(self.get("fields"), self.flag("include_fields")?.unwrap_or(true)))
    }
}
