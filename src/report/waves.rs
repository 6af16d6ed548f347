//! The waves of a plan for people, with the numbers by which one of them can be taken back.

use std::time::Duration;

use super::term::{self, paint};
use crate::plan::Plan;
use crate::plan::waves::{Wave, named, size};

/// So many tenants of a wave are named; of more their number is told.
const NAMED: usize = 6;

/// What the waves come to; `None` where there is one alone.
pub fn render(plan: &Plan, width: usize) -> Option<String> {
    let waves = named(plan);
    if waves.len() < 2 {
        return None;
    }
    let heading = |text: &str| format!("  {}", paint(term::STRONG, text));
    let how = how(plan);
    let Some(by) = &plan.header.waves_by else {
        let sizes: Vec<String> = waves.iter().map(|(_, wave)| size(wave).to_string()).collect();
        let sizes = format!("{} {}s", sizes.join(", "), plan.header.noun());
        let words: Vec<String> = std::iter::once(sizes).chain(how).collect();
        return Some(format!("{} {}", heading("Waves:"), words.join(", ")));
    };
    let names: Vec<String> = waves.iter().map(|(name, _)| term::safe(name.unwrap_or("others"))).collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let title = heading(&format!("Waves by {}:", term::safe(&by.tag)));
    let mut lines = vec![format!("{title} {}", how.join(", ")).trim_end().to_owned()];
    for (at, ((_, wave), name)) in waves.iter().zip(&names).enumerate() {
        let clients = term::count(size(wave), plan.header.noun());
        let number = at + 1;
        lines.push(format!("    {number}  {name:widest$}  {clients} in {}", tenants(plan, wave, width)));
    }
    Some(lines.join("\n"))
}

/// What comes between them.
fn how(plan: &Plan) -> Vec<String> {
    let pause = Duration::from_millis(plan.header.pause_ms);
    let pausing = (!pause.is_zero()).then(|| format!("{} between them", term::duration(pause)));
    let verified = plan.header.verify.then(|| "each read again and compared".to_owned());
    pausing.into_iter().chain(verified).collect()
}

fn tenants(plan: &Plan, wave: &Wave, width: usize) -> String {
    let names = wave.iter().filter_map(|(place, _)| plan.tenants.get(*place));
    let names: Vec<String> = names.map(|part| term::safe(part.tenant.as_str())).collect();
    let listed = names.join(", ");
    if names.len() > NAMED || listed.chars().count() + 40 > width {
        return term::count(names.len(), "tenant");
    }
    listed
}
