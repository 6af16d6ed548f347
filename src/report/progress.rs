//! What is shown while people wait: a bar on a terminal, a line every few seconds elsewhere.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::remaining::Remaining;
use super::term;
use crate::model::{Entry, Listener, Outcome, Pace, Progress, ProgressSink, RowResult, TenantName};
use crate::plan::forecast::Forecast;

/// Between two lines where there is no terminal.
const EVERY: Duration = Duration::from_secs(5);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar that is redrawn.
    Bar,
    /// A line every five seconds.
    Log,
    /// Nothing.
    None,
}

/// The display of one run. Cheap to clone; all clones show on the same screen.
#[derive(Clone)]
pub struct Display {
    screen: Arc<Mutex<Screen>>,
}

struct Screen {
    mode: ProgressMode,
    bars: MultiProgress,
    bar: Option<ProgressBar>,
    total: usize,
    done: usize,
    failed: usize,
    retries: usize,
    throttled: usize,
    began: Instant,
    last_line: Instant,
    pace: Vec<(TenantName, Pace)>,
    remaining: Remaining,
    note: String,
}

impl Display {
    /// Shows nothing yet.
    pub fn new(mode: ProgressMode) -> Self {
        let now = Instant::now();
        let screen = Screen {
            mode,
            bars: MultiProgress::new(),
            bar: None,
            total: 0,
            done: 0,
            failed: 0,
            retries: 0,
            throttled: 0,
            began: now,
            last_line: now,
            pace: Vec::new(),
            remaining: Remaining::default(),
            note: String::new(),
        };
        Self { screen: Arc::new(Mutex::new(screen)) }
    }

    /// Announces the reading of tenants.
    pub fn reading(&self) {
        self.with(|screen| {
            if screen.mode == ProgressMode::Bar {
                let bar = screen.bars.add(ProgressBar::new_spinner());
                bar.set_style(style("{spinner} {msg}"));
                bar.set_message("reading the tenants");
                bar.enable_steady_tick(Duration::from_millis(120));
                screen.bar = Some(bar);
            }
        });
    }

    /// Announces a run of so many writes, tenant by tenant, with what was forecast and the pause between its waves.
    pub fn running(&self, of: Vec<(TenantName, usize)>, forecast: Option<Forecast>, pause: Duration) {
        self.with(|screen| {
            screen.clear();
            let writes = of.iter().map(|(_, writes)| *writes).sum();
            screen.total = writes;
            screen.remaining = Remaining::new(of, forecast, pause);
            screen.began = Instant::now();
            screen.last_line = screen.began;
            if screen.mode == ProgressMode::Bar {
                let bar = screen.bars.add(ProgressBar::new(writes as u64));
                bar.set_style(style("{bar:24} {pos}/{len}  {wide_msg}").progress_chars("━╸─"));
                bar.enable_steady_tick(Duration::from_millis(250));
                screen.bar = Some(bar);
            }
            screen.log_line();
        });
    }

    /// Takes the bar away; what is printed next stands on clean ground.
    pub fn clear(&self) {
        self.with(Screen::clear);
    }

    /// The sink that readers and writers tell their progress to.
    pub fn sink(&self) -> ProgressSink {
        let display = self.clone();
        ProgressSink::new(move |progress| display.with(|screen| screen.progress(progress)))
    }

    fn with(&self, change: impl FnOnce(&mut Screen)) {
        // A listener that panicked leaves at worst an odd line on the screen: go on with what it left.
        change(&mut self.screen.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Listener for Display {
    fn hear(&mut self, entry: &Entry) {
        self.with(|screen| screen.entry(entry));
    }
}

impl Screen {
    fn clear(&mut self) {
        if self.total > 0 {
            self.log_line();
        }
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// How far it is, where there is no bar: at the beginning, every few seconds, and at the end.
    fn log_line(&mut self) {
        if self.mode == ProgressMode::Log && self.total > 0 {
            self.last_line = Instant::now();
            let line = format!("{}/{}  {}", self.done, self.total, self.note());
            self.line(line.trim_end());
        }
    }

    fn entry(&mut self, entry: &Entry) {
        match entry {
            Entry::Outcome(Outcome { result: RowResult::NotAttempted, .. }) => (),
            Entry::Outcome(Outcome { result, tenant, .. }) => {
                self.done += 1;
                self.remaining.ended(tenant);
                self.failed += usize::from(matches!(result, RowResult::Failed | RowResult::Conflict));
                if let Some(bar) = &self.bar {
                    bar.set_position(self.done as u64);
                }
            }
            Entry::TenantStopped { tenant, message, .. } => {
                self.remaining.stopped(tenant);
                self.line(&format!("{tenant}: stopped: {}", term::safe(message)));
            }
            _ => (),
        }
        self.show();
    }

    fn progress(&mut self, progress: Progress) {
        match progress {
            Progress::Read { seen, total, .. } => {
                if let Some(bar) = self.bar.as_ref().filter(|_| self.total == 0) {
                    let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
                    bar.set_message(format!("reading the tenants: {seen}{of}"));
                }
                return;
            }
            Progress::Pace { tenant, pace, outlook } => {
                if let Some(outlook) = outlook {
                    self.remaining.hear(&tenant, self.began.elapsed(), outlook);
                }
                match self.pace.iter_mut().find(|(of, _)| *of == tenant) {
                    Some((_, held)) => *held = pace,
                    None => self.pace.push((tenant, pace)),
                }
            }
            Progress::Retry { .. } => self.retries += 1,
            Progress::Throttled { .. } => self.throttled += 1,
            // Before anything was sent the command just ends.
            Progress::Stopping if self.total == 0 => (),
            Progress::Stopping => {
                self.line("stopping: what is under way is finished; once more stops at once");
            }
            Progress::Wave { wave, of, clients } => {
                self.remaining.wave(wave, of);
                self.line(&format!("wave {wave} of {of}: {}", term::count(clients, "client")));
            }
            Progress::Pausing { wait } => {
                self.line(&format!("pausing for {} before the next wave", term::duration(wait)));
            }
            Progress::Verifying => self.line("verifying: reading again what was written"),
            Progress::Rereading { tenant } if self.done > 0 => {
                self.line(&format!("{tenant}: reading again what was read too long ago"));
            }
            Progress::Rereading { .. } => (),
            Progress::Paused { tenant, wait } => {
                self.line(&format!("{tenant} does not answer; next try in {}", term::duration(wait)));
            }
        }
        self.show();
    }

    /// A line that stays.
    fn line(&mut self, text: &str) {
        match self.mode {
            ProgressMode::Bar => drop(self.bars.println(text)),
            // A log that cannot be written (a full disk) is no reason to stop a run, let alone to panic in it.
            ProgressMode::Log => drop(writeln!(anstream::stderr(), "{text}")),
            ProgressMode::None => (),
        }
    }

    fn show(&mut self) {
        match (self.mode, &self.bar) {
            (ProgressMode::Bar, Some(bar)) if self.total > 0 => {
                let note = self.note();
                if note != self.note {
                    bar.set_message(note.clone());
                    self.note = note;
                }
            }
            (ProgressMode::Log, _) if self.last_line.elapsed() >= EVERY => self.log_line(),
            _ => (),
        }
    }

    /// `15.9/s  2 min 4 s ± 2 s left  12 of 50 tokens  3 retries  1 failed`.
    fn note(&self) -> String {
        let elapsed = self.began.elapsed();
        let rate = self.done as f64 / elapsed.as_secs_f64().max(0.001);
        let mut parts = Vec::new();
        let moving = elapsed.as_secs() >= 1 && self.done > 0;
        if moving {
            parts.push(format!("{rate:.1}/s"));
        }
        if let Some(left) = self.remaining.left(elapsed) {
            parts.push(left.words());
        } else if moving && self.done < self.total {
            let left = Duration::from_secs_f64((self.total - self.done) as f64 / rate);
            parts.push(format!("{} left", term::duration(left)));
        }
        if let [(_, pace)] = self.pace.as_slice()
            && let (Some(remaining), Some(limit)) = (pace.remaining, pace.limit)
        {
            parts.push(format!("{remaining} of {limit} tokens"));
        }
        let retries = if self.retries == 1 { "retry" } else { "retries" };
        for (count, noun) in [(self.retries, retries), (self.throttled, "× 429"), (self.failed, "failed")] {
            if count > 0 {
                parts.push(format!("{count} {noun}"));
            }
        }
        parts.join("  ")
    }
}
