//! The records of a CSV file, each with the row number that a spreadsheet shows and its place in the file.

use std::ops::Range;
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord};

use crate::model::{Problem, SourceFile};

/// A record with its place.
pub(in crate::job) struct Row {
    pub(in crate::job) record: StringRecord,
    /// As a spreadsheet counts: the header is row 1, and empty rows count.
    pub(in crate::job) number: usize,
    /// Its bytes in the file, without the line break.
    pub(in crate::job) span: Range<usize>,
}

/// The records of a file, with the row numbers that a spreadsheet shows.
pub(super) struct Rows<'f> {
    csv: csv::Reader<&'f [u8]>,
    text: &'f str,
    start: usize,
    number: usize,
}

impl<'f> Rows<'f> {
    pub(super) fn new(file: &'f SourceFile, start: usize, delimiter: u8) -> Self {
        let bytes = &file.text.as_bytes()[start..];
        let csv =
            ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
        Self { csv, text: &file.text, start, number: 0 }
    }

    pub(super) fn next(&mut self, problems: &mut Vec<Problem>) -> Option<Row> {
        let mut record = StringRecord::new();
        loop {
            let from = self.start + self.csv.position().byte() as usize;
            match self.csv.read_record(&mut record) {
                Ok(true) => (),
                Ok(false) => return None,
                Err(error) => {
                    problems.push(Problem::new(format!("not readable as CSV: {error}")));
                    return None;
                }
            }
            let end = self.start + self.csv.position().byte() as usize;
            let begin = self.skip_blank_rows(from, end);
            self.number += 1;
            // Spreadsheets leave rows of delimiters behind where somebody deleted the content.
            if self.number > 1 && record.iter().all(str::is_empty) {
                continue;
            }
            let content = self.text[begin..end].trim_end_matches(['\r', '\n']);
            return Some(Row { record, number: self.number, span: begin..begin + content.len() });
        }
    }

    /// Counts the empty lines that the parser passed over in silence; returns where the record begins.
    fn skip_blank_rows(&mut self, from: usize, end: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = from;
        // The parser ends a record at `\r` and leaves the `\n` of a CRLF to the next one.
        if at > 0 && bytes[at - 1] == b'\r' && bytes.get(at) == Some(&b'\n') {
            at += 1;
        }
        while at < end && matches!(bytes[at], b'\r' | b'\n') {
            at += if bytes[at..end].starts_with(b"\r\n") { 2 } else { 1 };
            self.number += 1;
        }
        at
    }
}

impl Row {
    /// What is wrong with a row that has not as many cells as the header.
    pub(super) fn ragged(&self, columns: usize, file: &Arc<SourceFile>) -> Option<Problem> {
        if self.record.len() == columns {
            return None;
        }
        let cells = if self.record.len() == 1 { "cell" } else { "cells" };
        let what = format!("row {} has {} {cells}, the header has {columns}", self.number, self.record.len());
        let help = if self.record.len() > columns {
            "a cell that holds the delimiter must stand in double quotes"
        } else {
            "an empty cell keeps its delimiter; the header and the rows must have the same one"
        };
        Some(Problem::new(what).at(file, self.span.clone()).help(help))
    }

    /// The bytes of one cell, found by walking the record once more: only mistakes pay for it.
    pub(in crate::job) fn cell(&self, text: &str, delimiter: u8, cell: usize) -> Range<usize> {
        let bytes = text.as_bytes();
        let (mut at, mut begin, mut quoted, mut index) = (self.span.start, self.span.start, false, 0);
        while at < self.span.end {
            match bytes[at] {
                b'"' => quoted = !quoted,
                byte if byte == delimiter && !quoted => {
                    if index == cell {
                        break;
                    }
                    index += 1;
                    begin = at + 1;
                }
                _ => (),
            }
            at += 1;
        }
        begin..at
    }

    /// Where a quoted cell goes on behind its closing quote: a quote that was meant as text was not doubled, and the cell has
    /// swallowed what stands between, perhaps whole rows.
    pub(super) fn stray_quote(&self, text: &str, delimiter: u8) -> Option<usize> {
        let bytes = text[self.span.clone()].as_bytes();
        let (mut at, mut begins) = (0, true);
        while at < bytes.len() {
            if !(begins && bytes[at] == b'"') {
                begins = bytes[at] == delimiter;
                at += 1;
                continue;
            }
            at += 1;
            loop {
                match bytes.get(at..)? {
                    [] => return None,
                    [b'"', b'"', ..] => at += 2,
                    [b'"', next, ..] if *next != delimiter && !matches!(next, b'\r' | b'\n') => {
                        return Some(self.span.start + at);
                    }
                    [b'"', ..] => break,
                    _ => at += 1,
                }
            }
            at += 1;
            begins = false;
        }
        None
    }

    /// Where a quote is opened that is never closed: it makes one cell of all that follows, so that the last row of a
    /// file is where it shows.
    pub(super) fn unclosed_quote(&self, text: &str, delimiter: u8) -> Option<usize> {
        let text = &text[self.span.clone()];
        let (mut open, mut begins) = (None, true);
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'"' if open.is_some() => open = None,
                // Behind a closing quote, a second one is an escaped quote: the cell goes on.
                b'"' if begins || text[..at].ends_with('"') => open = Some(at),
                _ => (),
            }
            begins = byte == delimiter || byte == b'\n' || byte == b'\r';
        }
        open.map(|at| self.span.start + at)
    }
}

/// The name of a column as spreadsheets show it: A, B, … Z, AA.
pub(in crate::job) fn letter(mut at: usize) -> String {
    let mut name = Vec::new();
    loop {
        name.push(b'A' + (at % 26) as u8);
        if at < 26 {
            break;
        }
        at = at / 26 - 1;
    }
    name.iter().rev().map(|byte| char::from(*byte)).collect()
}
