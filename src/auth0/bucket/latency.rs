//! How long answers take. Central type: [`Latency`].

/// Seconds from departure to answer, once one was heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latency {
    /// Over the last few answers; a single slow one hardly moves it.
    pub(super) smooth: f64,
    /// The least ever.
    pub(super) least: f64,
    /// Over many answers, in which rare slow ones count as much as they should.
    pub(super) mean: f64,
    heard: f64,
}

impl Latency {
    pub(super) fn first(seconds: f64) -> Self {
        Self { smooth: seconds, least: seconds, mean: seconds, heard: 1.0 }
    }

    pub(super) fn note(&mut self, seconds: f64) {
        self.smooth += 0.2 * (seconds.min(3.0 * self.smooth) - self.smooth);
        self.least = self.least.min(seconds);
        self.heard += 1.0;
        self.mean += (seconds - self.mean) * (1.0 / self.heard).max(0.03);
    }

    /// By how much an answer is later than it could be. The first few tell little of that.
    pub(super) fn spread(&self) -> f64 {
        (self.smooth - self.least).max(self.smooth / (self.heard + 1.0))
    }
}
