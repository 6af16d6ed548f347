//! What is in the bucket and how fast it fills: a Kalman filter over both. Central type: [`Level`].

/// The estimate. `tokens` counts as taken whatever is under way.
#[derive(Debug, Clone)]
pub(super) struct Level {
    /// Size of the bucket.
    pub(super) size: f64,
    /// Tokens that will be there once all that was sent has been taken.
    pub(super) tokens: f64,
    /// Net refill in tokens per second: what others take is off already.
    pub(super) slope: f64,
    /// Variance by which answers surprise, beyond what the filter expects: others' traffic comes in bursts.
    pub(super) surprise: f64,
    /// To when the estimate was brought forward, in seconds.
    pub(super) at: f64,
    var_tokens: f64,
    covariance: f64,
    var_slope: f64,
}

/// A reading of the level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Correction {
    pub(super) reading: f64,
    pub(super) variance: f64,
}

impl Level {
    /// From the first answer: nothing is known of the refill, so it is taken to be that of the slowest published tier.
    pub(super) fn first(size: f64, tokens: f64, at: f64) -> Self {
        let slope = slowest_published(size);
        Self {
            size,
            tokens,
            slope,
            surprise: 0.0,
            at,
            var_tokens: 0.1,
            covariance: 0.0,
            var_slope: slope * slope,
        }
    }

    /// Brings the estimate forward to `now`.
    pub(super) fn advance(&mut self, now: f64) {
        let dt = now - self.at;
        if dt <= 0.0 {
            return;
        }
        let refill = self.slope * dt;
        self.var_tokens +=
            2.0 * self.covariance * dt + self.var_slope * dt * dt + 0.2 * (0.05 + self.surprise) * refill;
        self.covariance += self.var_slope * dt;
        self.var_slope += (0.04 * self.slope).powi(2) * refill;
        self.surprise *= 0.5_f64.powf(dt / 2.0);
        self.tokens = (self.tokens + refill).min(self.size);
        self.at = now;
    }

    /// An answer from a bucket that is not full.
    pub(super) fn correct(&mut self, correction: Correction) {
        let error = correction.reading - self.tokens;
        let surprise = (error * error - self.var_tokens - correction.variance).max(0.0);
        // The surprise stands in for others' takes: they move the level at once, and the slope slowly.
        let prior = self.var_tokens + self.surprise;
        let whole = prior + correction.variance;
        let (gain_tokens, gain_slope) = (prior / whole, self.covariance / whole);
        self.tokens += gain_tokens * error;
        self.slope += gain_slope * error;
        self.var_slope -= gain_slope * self.covariance;
        self.var_tokens = (1.0 - gain_tokens) * prior;
        self.covariance *= 1.0 - gain_tokens;
        self.surprise += 0.1 * (surprise - self.surprise);
        self.keep_in_bounds();
    }

    /// An answer from a bucket that was full, which tells the level exactly and of the slope only that it is no less.
    /// Tells whether the slope was raised.
    pub(super) fn was_full(&mut self, tokens: f64, factor: f64, settled: bool) -> bool {
        let error = tokens + 0.5 - self.tokens;
        let raised = error > 0.0 && factor > 1.0;
        if raised {
            let whole = self.var_tokens + self.surprise + 1.0 / 12.0;
            let ordinary = if settled { (self.covariance / whole * error).max(0.0) } else { 0.0 };
            self.slope = (self.slope * factor + ordinary).min(2.0 * self.slope).min(2.0 * self.size);
        }
        self.tokens = tokens.min(self.size);
        self.covariance = 0.0;
        self.var_slope = self.var_slope.max((0.1 * self.slope).powi(2));
        self.keep_in_bounds();
        raised
    }

    /// A refusal: less comes in than was thought.
    pub(super) fn cut(&mut self) {
        self.slope *= 0.7;
        self.var_slope = self.var_slope.max((0.3 * self.slope).powi(2));
        self.covariance = 0.0;
        self.keep_in_bounds();
    }

    /// The tenant's limit is another one now.
    pub(super) fn resize(&mut self, size: f64) {
        if size == self.size {
            return;
        }
        self.slope *= (size / self.size).min(1.0);
        self.size = size;
        self.tokens = self.tokens.min(size);
        self.var_slope = self.slope * self.slope;
        self.covariance = 0.0;
        self.keep_in_bounds();
    }

    /// The part of a published tier's refill that is ours, at most 1: a small one means that others draw on the bucket as well.
    pub(super) fn share(&self) -> f64 {
        (self.slope / slowest_published(self.size)).min(1.0)
    }

    /// A slope near nothing would never be corrected, since nothing would be sent.
    fn keep_in_bounds(&mut self) {
        self.slope = self.slope.clamp(self.size / 20.0, 2.0 * self.size);
        self.var_tokens = self.var_tokens.max(0.03);
        self.var_slope = self.var_slope.max((0.02 * self.slope).powi(2));
    }
}

/// Refill per second of the slowest published tier with a bucket of about this size.
pub(super) fn slowest_published(size: f64) -> f64 {
    let seconds_to_fill = match size {
        ..=3.0 => 2.0,
        ..10.0 => 12.0,
        ..50.0 => 6.0,
        ..250.0 => 50.0 / 16.0,
        _ => 1.0,
    };
    size / seconds_to_fill
}
