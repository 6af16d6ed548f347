//! A kind as it is when an object is created: what only a create takes can be set.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::{Field, Kind, Writable};

impl Kind {
    /// This kind, with the fields that only a create takes open to be set. Made once, and lives as long as the process.
    pub fn creating(&'static self) -> &'static Self {
        static MADE: Mutex<Vec<(&'static Kind, &'static Kind)>> = Mutex::new(Vec::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        // A kind with further fields is another one than the kind of that name without.
        if let Some((_, creating)) = made.iter().find(|(of, _)| std::ptr::eq(*of, self)) {
            return creating;
        }
        let mut root = self.root().clone();
        open(&mut root);
        let creating: &'static Self = Box::leak(Box::new(Self {
            name: self.name,
            singular: self.singular.clone(),
            identity: self.identity.clone(),
            told_apart: self.told_apart.clone(),
            endpoint: self.endpoint.clone(),
            root,
            linked: self.linked.clone(),
            extra: self.extra.clone(),
            patterns: OnceLock::new(),
        }));
        made.push((self, creating));
        creating
    }
}

fn open(field: &mut Field) {
    if field.write == Writable::Create {
        field.write = Writable::Patch;
    }
    field.fields.values_mut().for_each(open);
    field.items.iter_mut().for_each(|items| open(items));
    field.one_of.iter_mut().for_each(open);
}

#[cfg(test)]
mod tests {
    use crate::catalogue::{default_kind, kinds, validate};
    use serde_json::json;

    #[test]
    fn what_only_a_create_takes_can_be_set_when_creating_and_what_the_server_sets_cannot() {
        let path = "third_party_security_mode".parse().unwrap();
        assert!(!validate::value(default_kind(), &path, &json!("strict")).is_empty());
        assert!(validate::value(default_kind().creating(), &path, &json!("strict")).is_empty());
        let id = default_kind().endpoint.id_field.parse().unwrap();
        assert!(!validate::value(default_kind().creating(), &id, &json!("x")).is_empty());
    }

    #[test]
    fn what_a_create_must_name_can_be_set_when_creating() {
        for kind in kinds() {
            for required in &kind.endpoint.create_required {
                let fault = validate::may_set(kind.creating(), &required.parse().unwrap());
                assert_eq!(fault, None, "{} {required}", kind.name);
            }
        }
    }
}
