//! How spreadsheets write CSV: byte-order marks, UTF-16, `sep=`, and three delimiters.

use encoding_rs::Encoding;

/// What is said of a cell whose bytes are no text.
pub(super) fn not_text(encoding: Option<&'static Encoding>) -> String {
    format!("holds bytes that are not {} text", encoding.map_or("UTF-8", Encoding::name))
}

/// What to do about bytes that are no text.
pub(super) const ENCODING_HELP: &str =
    "save the file as UTF-8 (in Excel: \"CSV UTF-8\"), or say what it is: --encoding windows-1252";

/// A CSV file as text, and how its cells are told apart.
pub(super) struct Dialect {
    /// The whole text, without a byte-order mark.
    pub(super) text: String,
    /// Where the header begins, behind a `sep=` line.
    pub(super) start: usize,
    /// Between cells.
    pub(super) delimiter: u8,
    /// Whether bytes had to be replaced, since they are not UTF-8.
    pub(super) lossy: bool,
}

/// Decodes a file and finds its delimiter: what `sep=` says, else whichever of `,` `;` and tab the header
/// has most of outside quotes.
pub(super) fn detect(bytes: &[u8], encoding: Option<&'static Encoding>) -> Dialect {
    let (text, lossy) = match encoding {
        // What it says is about files that are not UTF-8: one job can read the spreadsheet of another program beside a
        // report of this one. Where ASCII bytes need not mean ASCII, the bytes tell nothing.
        Some(encoding) if !(encoding.is_ascii_compatible() && std::str::from_utf8(bytes).is_ok()) => {
            let (text, _, lossy) = encoding.decode(bytes);
            (text.into_owned(), lossy)
        }
        _ => decode(bytes),
    };
    let first_line = text.lines().next().unwrap_or_default();
    if let Some(rest) = first_line.trim_matches('"').strip_prefix("sep=")
        && let &[delimiter] = rest.as_bytes()
    {
        let start = text.find('\n').map_or(text.len(), |at| at + 1);
        return Dialect { text, start, delimiter, lossy };
    }
    let delimiter = delimiter_of(&text);
    Dialect { text, start: 0, delimiter, lossy }
}

fn decode(bytes: &[u8]) -> (String, bool) {
    let utf16 = |rest: &[u8], read: fn([u8; 2]) -> u16| {
        let units = rest.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        let text: Result<String, _> = char::decode_utf16(units.clone()).collect();
        match text {
            Ok(text) if rest.len().is_multiple_of(2) => (text, false),
            _ => {
                let mut text = String::from_utf16_lossy(&units.collect::<Vec<_>>());
                // Half a character at the end: the file is cut off.
                text.extend((!rest.len().is_multiple_of(2)).then_some('\u{fffd}'));
                (text, true)
            }
        }
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let text = String::from_utf8_lossy(bytes);
            let lossy = matches!(text, std::borrow::Cow::Owned(_));
            (text.into_owned(), lossy)
        }
    }
}

fn delimiter_of(text: &str) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => counts.iter_mut().filter(|(d, _)| *d == byte).for_each(|(_, n)| *n += 1),
            _ => (),
        }
    }
    // The comma wins a tie, and stands for a file of one column.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_judged_on_the_header_outside_quotes() {
        for (text, delimiter) in [
            ("client_id,name\n1;2;3;4,x", b','),
            ("client_id;\"a,b,c\"\n", b';'),
            ("client_id\tname\n", b'\t'),
            ("client_id\n", b','),
            ("sep=;\nclient_id;name,x,y\n", b';'),
        ] {
            assert_eq!(detect(text.as_bytes(), None).delimiter, delimiter, "{text}");
        }
    }

    #[test]
    fn byte_order_marks_tell_the_encoding() {
        let utf16: Vec<u8> = [0xfeff]
            .into_iter()
            .chain("client_id;näme\r\n".encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let dialect = detect(&utf16, None);
        assert_eq!((dialect.text.as_str(), dialect.lossy), ("client_id;näme\r\n", false));
        assert_eq!(detect(b"\xef\xbb\xbfclient_id", None).text, "client_id");
        assert!(detect(b"client_id,n\xe4me", None).lossy);
    }

    #[test]
    fn an_encoding_is_said_of_files_that_are_not_utf_8() {
        let windows = Some(encoding_rs::WINDOWS_1252);
        assert_eq!(detect(b"n\xe4me", windows).text, "näme");
        assert_eq!(detect("näme".as_bytes(), windows).text, "näme");
        assert_eq!(detect(b"\xef\xbb\xbfn\xc3\xa4me", windows).text, "näme");
        assert_eq!(detect(b"\x1b$B%\"\x1b(B", Some(encoding_rs::ISO_2022_JP)).text, "ア");
    }
}
