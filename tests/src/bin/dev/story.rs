//! What the demo prints: one line a step, with the time since it began.

use std::{fmt::Display, time::Instant};

/// The telling of one call.
pub struct Story {
    began: Instant,
}

impl Story {
    /// Begins now.
    pub fn begin(title: &str) -> Self {
        println!("{title}\n");
        Self { began: Instant::now() }
    }

    /// Something happened.
    pub fn tell(&self, what: impl Display) {
        println!("{:6.1} s  {what}", self.began.elapsed().as_secs_f64());
    }

    /// More about what just happened.
    pub fn add(&self, what: impl Display) {
        for line in what.to_string().lines() {
            println!("          {line}");
        }
    }
}
