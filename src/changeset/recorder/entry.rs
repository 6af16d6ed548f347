//! One update of a change set in the making. Central type: [`Entry`].

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::num::NonZeroU64;

/// One update. There may be a hundred thousand of them beside the plan and the journal of a run: so its texts are one.
pub(super) struct Entry {
    /// Its key, its name where that is another, and the update itself.
    all: Box<str>,
    /// Which of the recorder's kinds.
    kind: u8,
    /// Bytes of the key.
    key: u32,
    /// Bytes of the name.
    name: u32,
    /// The name that it gets, hashed, where it gets another.
    renamed: Option<NonZeroU64>,
}

impl Entry {
    /// `key` is what finds the client elsewhere. `None` where a key or a name is too long to be one.
    pub(super) fn new(
        kind: u8,
        key: &str,
        name: &str,
        renamed: Option<NonZeroU64>,
        text: &str,
    ) -> Option<Self> {
        let name = if name == key { "" } else { name };
        Some(Self {
            kind,
            all: [key, name, text].concat().into(),
            key: key.len().try_into().ok()?,
            name: name.len().try_into().ok()?,
            renamed,
        })
    }

    pub(super) fn kind(&self) -> u8 {
        self.kind
    }

    pub(super) fn key(&self) -> &str {
        self.parts().0
    }

    /// What the client is called.
    pub(super) fn name(&self) -> &str {
        let (key, name, _) = self.parts();
        if name.is_empty() { key } else { name }
    }

    /// The lines of the update.
    pub(super) fn text(&self) -> &str {
        self.parts().2
    }

    /// The name that it gets, hashed, where it gets another.
    pub(super) fn renamed(&self) -> Option<NonZeroU64> {
        self.renamed
    }

    fn parts(&self) -> (&str, &str, &str) {
        let (key, rest) = self.all.split_at(self.key as usize);
        let (name, text) = rest.split_at(self.name as usize);
        (key, name, text)
    }
}

/// A name in eight bytes, which are never all zero.
pub(super) fn hashed(name: &str) -> NonZeroU64 {
    NonZeroU64::MIN | BuildHasherDefault::<DefaultHasher>::default().hash_one(name)
}
