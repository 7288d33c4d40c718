//! Figures in the text format that Prometheus reads.
//!
//! Each family has its HELP and TYPE once, before its samples; label values are escaped, whoever
//! chose them.

use std::fmt::Write;

/// What sort of figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It goes up and down.
    Gauge,
    /// It only goes up.
    Counter,
}

/// Figures that are being written down.
#[derive(Clone, Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// Begins a family; its samples follow.
    pub fn family<'a>(&'a mut self, name: &'a str, sort: Sort, help: &str) -> Family<'a> {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let sort = match sort {
            Sort::Gauge => "gauge",
            Sort::Counter => "counter",
        };
        // To write into a text cannot fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {sort}\n");
        Family { text: &mut self.text, name }
    }

    /// All of it.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// A family of figures.
#[derive(Debug)]
pub struct Family<'a> {
    text: &'a mut String,
    name: &'a str,
}

impl Family<'_> {
    /// Adds a sample.
    pub fn put(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        let escaped =
            |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = match labels.as_slice() {
            [] => String::new(),
            all => format!("{{{}}}", all.join(",")),
        };
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_others_chose_forge_nothing() {
        let mut all = Exposition::default();
        all.family("koubou_tasks", Sort::Gauge, "How many.\nBy type.")
            .put(&[("task_type", "a\"} 9\nkoubou_up 1 \\")], 2.5)
            .put(&[], 12.0);
        let wanted = "# HELP koubou_tasks How many.\\nBy type.\n# TYPE koubou_tasks gauge\n\
                      koubou_tasks{task_type=\"a\\\"} 9\\nkoubou_up 1 \\\\\"} 2.5\n\
                      koubou_tasks 12\n";
        assert_eq!(all.into_text(), wanted);
    }
}
