//! The cells of an input row, which its report repeats. Central type: [`Cells`].

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use csv_core::ReadRecordResult;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Packed, SourceFile};

/// The cells of an input row, byte for byte. Cheap to clone.
#[derive(Clone, Default)]
pub struct Cells(Held);

#[derive(Clone, Default)]
enum Held {
    #[default]
    Nothing,
    /// As JSON.
    Own(Packed<Vec<String>>),
    /// In the file that the row stands in, which is in memory anyway.
    Record { file: Arc<SourceFile>, begin: u32, length: u32, delimiter: u8 },
}

impl Cells {
    /// The record that stands in a CSV file at these bytes, line breaks behind it left out. The file is kept as long as the
    /// cells are.
    pub fn of_record(file: &Arc<SourceFile>, span: &Range<usize>, delimiter: u8) -> Self {
        let (begin, length) = (u32::try_from(span.start), u32::try_from(span.len()));
        match (begin, length) {
            (Ok(begin), Ok(length)) => {
                Self(Held::Record { file: Arc::clone(file), begin, length, delimiter })
            }
            _ => parsed(&file.text[span.clone()], delimiter).into_iter().collect(),
        }
    }

    /// The cells, as texts.
    pub fn open(&self) -> Vec<String> {
        match &self.0 {
            Held::Nothing => Vec::new(),
            Held::Own(cells) => cells.open(),
            Held::Record { file, begin, length, delimiter } => {
                let begin = *begin as usize;
                parsed(&file.text[begin..begin + *length as usize], *delimiter)
            }
        }
    }
}

thread_local! {
    /// A reader takes longer to make than a record to read.
    static READER: RefCell<(u8, csv_core::Reader)> = RefCell::new((b',', csv_core::Reader::new()));
}

/// The cells of one record.
fn parsed(text: &str, delimiter: u8) -> Vec<String> {
    READER.with_borrow_mut(|(of, reader)| {
        if *of != delimiter {
            (*of, *reader) = (delimiter, csv_core::ReaderBuilder::new().delimiter(delimiter).build());
        }
        reader.reset();
        record(text, delimiter, reader)
    })
}

fn record(text: &str, delimiter: u8, reader: &mut csv_core::Reader) -> Vec<String> {
    // No cell is longer than the record, and there is a delimiter between two of them.
    let mut cells = vec![0; text.len()];
    let mut ends = vec![0; text.bytes().filter(|byte| *byte == delimiter).count() + 1];
    let (mut input, mut written, mut count) = (text.as_bytes(), 0, 0);
    loop {
        let (result, read, out, ended) = reader.read_record(input, &mut cells[written..], &mut ends[count..]);
        (written, count) = (written + out, count + ended);
        // What is read when nothing is left says that the text is over.
        match result {
            ReadRecordResult::InputEmpty => input = &[],
            ReadRecordResult::Record | ReadRecordResult::End => break,
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => input = &input[read..],
        }
        if read == 0 && out == 0 && ended == 0 && !matches!(result, ReadRecordResult::InputEmpty) {
            break;
        }
    }
    let mut begin = 0;
    let cell = |end: &usize| {
        let text = String::from_utf8_lossy(&cells[begin..*end]).into_owned();
        begin = *end;
        text
    };
    ends[..count].iter().map(cell).collect()
}

impl<T: AsRef<str>> FromIterator<T> for Cells {
    fn from_iter<I: IntoIterator<Item = T>>(cells: I) -> Self {
        let cells: Vec<String> = cells.into_iter().map(|cell| cell.as_ref().to_owned()).collect();
        Self(if cells.is_empty() { Held::Nothing } else { Held::Own(Packed::new(&cells)) })
    }
}

impl PartialEq for Cells {
    fn eq(&self, other: &Self) -> bool {
        self.open() == other.open()
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.open()).finish()
    }
}

impl Serialize for Cells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.open().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Cells {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<String>::deserialize(deserializer).map(|cells| cells.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cells_are_what_they_were_made_of(texts in prop::collection::vec(any::<String>(), 0..6)) {
            let cells: Cells = texts.iter().collect();
            prop_assert_eq!(&cells.open(), &texts);
            let json = serde_json::to_string(&cells).unwrap();
            prop_assert_eq!(&json, &serde_json::to_string(&texts).unwrap());
            prop_assert_eq!(serde_json::from_str::<Cells>(&json).unwrap(), cells);
        }

        #[test]
        fn cells_in_a_file_are_those_of_the_record(
            rows in prop::collection::vec(prop::collection::vec("[a-c;,\"\n ]{0,5}", 2..4), 1..4), semicolon in any::<bool>(),
        ) {
            let delimiter = if semicolon { b';' } else { b',' };
            for row in rows {
                let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(b"id;name\n".to_vec());
                writer.write_record(&row).unwrap();
                let file = SourceFile::new("job.csv", String::from_utf8(writer.into_inner().unwrap()).unwrap());
                let end = file.text.len() - 1;
                prop_assert_eq!(Cells::of_record(&file, &(8..end), delimiter).open(), row);
            }
        }
    }
}
