//! Progress of long work, on standard error where a person watches it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Tells how far long work is; silent where nobody watches.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// On standard error if that is a terminal.
    #[must_use]
    pub fn on_terminal() -> Self {
        // Drawing to a target that is no terminal is a no-op by indicatif's own rule.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        Self(bar)
    }

    /// Nobody watches.
    #[must_use]
    pub fn silent() -> Self {
        Self(ProgressBar::hidden())
    }

    /// A new stage begins; `total` is its size in `unit`s where that is known.
    pub fn stage(&self, what: &str, total: Option<u64>, unit: &str) {
        let template = match total {
            Some(_) => format!("{{spinner}} {{msg}} {{bar:30}} {{human_pos}}/{{human_len}} {unit} {{eta}}"),
            None => format!("{{spinner}} {{msg}} {{human_pos}} {unit} {{elapsed}}"),
        };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            self.0.set_style(style);
        }
        self.0.reset();
        match total {
            Some(total) => self.0.set_length(total),
            None => self.0.unset_length(),
        }
        self.0.set_message(what.to_string());
    }

    /// So much of the stage is done.
    pub fn at(&self, position: u64) {
        self.0.set_position(position);
    }

    /// All is done.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
