//! PEM (RFC 7468): what stands between `-----BEGIN …-----` and `-----END …-----`. Central type: [`Pem`].

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";
/// Labels are a few words; what is longer is no label, and is not shown.
const LONGEST_LABEL: usize = 40;

/// A block of a text. Its `Debug` shows the label alone: what it holds may be a private key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pem<'t> {
    /// What it says that it holds, such as `PRIVATE KEY`.
    pub label: &'t str,
    body: &'t str,
    /// Whether its end was found.
    pub ended: bool,
}

impl<'t> Pem<'t> {
    /// The blocks of a text, in its order. Line ends matter nowhere: what was pasted into one line is read as well.
    pub fn blocks(text: &'t str) -> Vec<Self> {
        let mut blocks = Vec::new();
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(BEGIN) {
            rest = after;
            let Some((label, body)) = after.split_once(DASHES).filter(|(label, _)| is_label(label)) else {
                continue;
            };
            let end = format!("-----END {label}-----");
            let (body, ended) = body.split_once(end.as_str()).map_or((body, false), |(body, _)| (body, true));
            blocks.push(Self { label, body, ended });
        }
        blocks
    }

    /// Whether a passphrase is needed to read it.
    pub fn is_encrypted(&self) -> bool {
        self.label.starts_with("ENCRYPTED") || self.body.contains("Proc-Type: 4,ENCRYPTED")
    }

    /// What it holds, wiped when dropped; `None` where it is cut off or damaged.
    pub fn der(&self) -> Option<Zeroizing<Vec<u8>>> {
        let packed: Zeroizing<String> =
            Zeroizing::new(self.body.chars().filter(|c| !c.is_whitespace()).collect());
        let bytes = STANDARD.decode(packed.as_bytes()).ok().filter(|bytes| !bytes.is_empty());
        bytes.filter(|_| self.ended).map(Zeroizing::new)
    }
}

fn is_label(text: &str) -> bool {
    text.len() <= LONGEST_LABEL
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ')
}

impl fmt::Debug for Pem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pem").field("label", &self.label).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_however_its_lines_were_broken() {
        for text in [
            "-----BEGIN KEY-----\nAQID\nBA==\n-----END KEY-----\n",
            "-----BEGIN KEY----- AQID BA== -----END KEY-----",
            "words before\r\n-----BEGIN KEY-----\r\n AQ\r\nIDBA==\r\n-----END KEY-----\r\n and after",
        ] {
            let blocks = Pem::blocks(text);
            assert_eq!(blocks.len(), 1, "{text}");
            assert_eq!((blocks[0].label, blocks[0].der().unwrap().as_slice()), ("KEY", &[1, 2, 3, 4][..]));
        }
    }

    #[test]
    fn what_is_cut_off_or_damaged_holds_nothing() {
        for text in ["-----BEGIN KEY-----\nAQID", "-----BEGIN KEY-----\nA?==\n-----END KEY-----"] {
            assert_eq!(Pem::blocks(text)[0].der(), None, "{text}");
        }
        assert_eq!(Pem::blocks("-----BEGIN a secret-----"), []);
    }

    #[test]
    fn several_blocks_are_told_apart_and_none_is_shown() {
        let text = "-----BEGIN A-----\nAQID\n-----END A-----\n-----BEGIN ENCRYPTED B-----\nAQID\n-----END ENCRYPTED B-----";
        let blocks = Pem::blocks(text);
        let told: Vec<_> = blocks.iter().map(|block| (block.label, block.is_encrypted())).collect();
        assert_eq!(told, [("A", false), ("ENCRYPTED B", true)]);
        assert!(!format!("{blocks:?}").contains("AQID"));
    }
}
