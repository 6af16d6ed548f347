//! How fast to send at a given level: slowly near the gate, faster the fuller the bucket. Central type: [`Pace`].

use super::super::settings::Reserve;
use super::latency::Latency;
use super::level::Level;

/// With a smaller share of the refill than this, others draw on the bucket, and its last tokens are theirs as well.
const SHARED: f64 = 0.4;

/// When to send on an estimate of the level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    size: f64,
    slope: f64,
    share: f64,
    pub(super) tokens: f64,
    /// Below this level nothing is sent.
    pub(super) gate: f64,
    /// Additional requests per second for each token above the gate.
    gain: f64,
    cap: f64,
}

impl Pace {
    /// `caution` is what refusals have taught to keep back, in tokens.
    pub(super) fn new(level: &Level, reserve: Reserve, latency: Option<Latency>, caution: f64) -> Self {
        let (size, slope, share) = (level.size, level.slope, level.share());
        let surprise = (0.75 * level.surprise.sqrt()).min(1.5);
        let guard = (0.44 + 0.3 * (1.0 - share) + surprise + caution).min(0.3 * size);
        let gate = (reserve.of(size) + 1.0 + guard).min(size - 0.05);
        let latency = latency.map_or(0.0, |latency| latency.smooth);
        // Above the gate by so much, a runner alone sends what comes in. What others do is seen one trip late: the longer the
        // trip, the gentler the reaction must be, or runners that share a bucket swing together, empty and full.
        let height = (0.4 * (size - gate)).clamp(1e-3, (0.4 * size * latency).max(4.0));
        Self {
            size,
            slope,
            share,
            tokens: level.tokens,
            gate,
            // Size over five is the same number for every runner on this bucket: it alone makes their shares equal.
            gain: 0.5 * (size / 5.0).max(slope) / height,
            cap: slope.max((2.0 * size).min(0.05 * size / latency.max(1e-6))),
        }
    }

    /// Requests per second at the level that there is.
    pub(super) fn now(&self) -> f64 {
        0.5 * self.slope + (self.gain * (self.tokens - self.gate).max(0.0)).min(self.cap)
    }

    /// Requests per second with a full bucket.
    pub(super) fn fastest(&self) -> f64 {
        0.5 * self.slope + (self.gain * (self.size - self.gate).max(0.0)).min(self.cap)
    }

    /// Whether what is left above the gate is as good as enough for `left` requests: then there is nothing to save it for.
    pub(super) fn ends_with(&self, left: u64) -> bool {
        self.share >= SHARED && left as f64 <= self.tokens - self.gate + 2.0 * self.share
    }

    /// The first instant at which the last requests may go on, the gate alone holding them back.
    pub(super) fn last_instant(&self, now: f64, last: f64) -> f64 {
        now + self.to_gate().max(1.0 / self.cap.max(self.size) - (now - last)).max(0.0)
    }

    /// The first instant at which the gate is open and the pace, which rises while one waits, allows another request.
    pub(super) fn instant(&self, now: f64, last: f64) -> f64 {
        let waited = now - last;
        let to_cap = 1.0 / (0.5 * self.slope + self.cap) - waited;
        let to_full = 1.0 / (0.5 * self.slope + self.gain * (self.size - self.gate)) - waited;
        now + self.to_gate().max(to_cap).max(to_full).max(self.by_rising_pace(waited)).max(0.0)
    }

    fn to_gate(self) -> f64 {
        ((self.gate - self.tokens) / self.slope).max(0.0)
    }

    /// Solves `(waited + x) · (½·slope + gain·(tokens + slope·x − gate)) = 1` for `x`.
    fn by_rising_pace(&self, waited: f64) -> f64 {
        let at_once = 0.5 * self.slope + self.gain * (self.tokens - self.gate);
        let (a, b, c) =
            (self.gain * self.slope, self.gain * self.slope * waited + at_once, waited * at_once - 1.0);
        // The parabola opens upwards: its larger root is where the pace catches up for good.
        (-b + (b * b - 4.0 * a * c).max(0.0).sqrt()) / (2.0 * a)
    }
}
