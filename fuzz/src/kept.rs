//! Files that patchwave itself keeps: plans and journals. Random bytes never have the right digests, so these are put
//! right here: an input is what somebody had sealed.

use std::path::Path;

use patchwave::model::{Entry, RunRecord};
use patchwave::plan::{self, Plan};
use patchwave::store::journal as journals;
use sha2::{Digest, Sha256};

/// A saved plan: as it stands, and with a last line that has the digest of what is before it.
pub fn plan_file(data: &[u8]) {
    let _ = plan::file::is_plan(data);
    for bytes in [data.to_vec(), with_digest(data)] {
        match plan::file::parse(&bytes) {
            Ok(plan) => {
                let _ = plan.totals();
                reads_back(&plan);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

fn with_digest(lines: &[u8]) -> Vec<u8> {
    let mut bytes = lines.to_vec();
    if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    let digest = hex(&Sha256::digest(&bytes), 32);
    bytes.extend_from_slice(format!("{{\"line\":\"end\",\"digest\":\"{digest}\"}}\n").as_bytes());
    bytes
}

fn hex(bytes: &[u8], count: usize) -> String {
    bytes.iter().take(count).map(|byte| format!("{byte:02x}")).collect()
}

/// A plan that is printed reads back as itself.
pub(crate) fn reads_back(plan: &Plan) {
    let mut printed = Vec::new();
    plan::file::print(plan, &mut printed).unwrap_or_else(|error| panic!("cannot be printed: {error}"));
    assert!(plan::file::is_plan(&printed));
    match plan::file::parse(&printed) {
        Ok(again) => assert_eq!(again, *plan),
        Err(error) => {
            panic!("what was printed does not read back: {error}\n{}", String::from_utf8_lossy(&printed))
        }
    }
}

/// A journal: as it stands, and with its lines sealed.
pub fn journal(data: &[u8]) {
    let path = Path::new("journal.jsonl");
    if let Err(error) = journals::parse(data, path) {
        assert!(!error.to_string().is_empty());
    }
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let Ok(found) = journals::parse(&sealed(&lines), path) else { return };
    assert_eq!(found.entries.len(), lines.len());
    let printed: Vec<Vec<u8>> =
        found.entries.iter().filter_map(|entry| serde_json::to_vec(entry).ok()).collect();
    let printed: Vec<&[u8]> = printed.iter().map(Vec::as_slice).collect();
    let whole = sealed(&printed);
    let again = match journals::parse(&whole, path) {
        Ok(again) => again.entries,
        Err(error) => panic!("what was written does not read back: {error}"),
    };
    assert_eq!(again, found.entries);
    let (record, taken) = replayed(&found.entries);
    assert_eq!(replayed(&again), (record.clone(), taken));
    let tally = record.tally();
    assert!(tally.written + tally.unknown <= record_size(&found.entries));
    assert_eq!(tally.left, record.left());
    // A crash tears the last line, and no other.
    for cut in [whole.len() / 3, whole.len() / 2, whole.len().saturating_sub(1)] {
        let torn =
            journals::parse(&whole[..cut], path).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        assert_eq!(torn.entries, found.entries[..torn.entries.len()]);
    }
}

/// Lines with the checksums that the journal wants.
fn sealed(lines: &[&[u8]]) -> Vec<u8> {
    let mut chain = [0_u8; 32];
    let mut out = Vec::new();
    for line in lines {
        // Blanks around an entry are none of it.
        let line = line.trim_ascii();
        chain = Sha256::new().chain_update(chain).chain_update(line).finalize().into();
        out.extend_from_slice(format!("{{\"sum\":\"{}\",\"of\":", hex(&chain, 8)).as_bytes());
        out.extend_from_slice(line);
        out.extend_from_slice(b"}\n");
    }
    out
}

/// How many writes the journal's first line tells of; fewer than would fill the memory.
fn planned(entries: &[Entry]) -> Vec<(patchwave::model::TenantName, usize)> {
    let Some(Entry::Started { tenants, .. }) = entries.first() else { return Vec::new() };
    tenants.iter().map(|of| (of.tenant.clone(), of.writes.min(1000))).collect()
}

fn record_size(entries: &[Entry]) -> usize {
    planned(entries).iter().map(|(_, writes)| writes).sum()
}

/// What the entries add up to, and how many of them make sense.
fn replayed(entries: &[Entry]) -> (RunRecord, usize) {
    let mut record = RunRecord::new(planned(entries));
    let taken = entries.iter().position(|entry| record.take(entry.clone()).is_err());
    let _ = record.times();
    (record, taken.unwrap_or(entries.len()))
}
