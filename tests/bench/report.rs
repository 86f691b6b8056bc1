//! Medians, ratios of the same round, the goals, the table and its JSON twin.

use std::collections::BTreeMap;

/// All figures of a run: by name, one for each round.
#[derive(Default)]
pub struct Figures {
    by_name: BTreeMap<String, Vec<f64>>,
    /// As they were first measured.
    names: Vec<String>,
}

/// What a goal asks of a figure.
#[derive(Clone, Copy)]
pub enum Ask {
    AtLeast(f64),
    AtMost(f64),
}

/// One line of the goals.
pub struct Goal {
    pub what: &'static str,
    pub figure: f64,
    pub unit: &'static str,
    pub ask: Ask,
}

impl Goal {
    pub fn met(&self) -> bool {
        match self.ask {
            Ask::AtLeast(least) => self.figure >= least,
            Ask::AtMost(most) => self.figure <= most,
        }
    }

    pub fn line(&self) -> String {
        let (word, bound) = match self.ask {
            Ask::AtLeast(least) => ("at least", least),
            Ask::AtMost(most) => ("at most", most),
        };
        let verdict = if self.met() { "met" } else { "MISSED" };
        format!(
            "{verdict:<7} {:<63} {:>9.2} {:<5} goal: {word} {bound} {}",
            self.what, self.figure, self.unit, self.unit
        )
    }
}

/// The middle one; of an even count the mean of the two in the middle.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |n: usize| sorted.get(n).copied().unwrap_or(f64::NAN);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => at(n / 2),
        n => f64::midpoint(at(n / 2 - 1), at(n / 2)),
    }
}

impl Figures {
    pub fn add(&mut self, name: &str, figure: f64) {
        if !self.by_name.contains_key(name) {
            self.names.push(name.to_owned());
        }
        self.by_name.entry(name.to_owned()).or_default().push(figure);
    }

    fn rounds(&self, name: &str) -> &[f64] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    pub fn median(&self, name: &str) -> f64 {
        median(self.rounds(name))
    }

    /// The median of the ratios of the same round: the machine's mood cancels out.
    pub fn ratio(&self, over: &str, under: &str) -> f64 {
        let pairs = self.rounds(over).iter().zip(self.rounds(under));
        median(&pairs.map(|(o, u)| o / u).collect::<Vec<f64>>())
    }

    pub fn most(&self, name: &str) -> f64 {
        self.rounds(name).iter().copied().fold(f64::NAN, f64::max)
    }

    pub fn least(&self, name: &str) -> f64 {
        self.rounds(name).iter().copied().fold(f64::NAN, f64::min)
    }

    pub fn has(&self, name: &str) -> bool {
        !self.rounds(name).is_empty()
    }

    /// The names that end so, without that end.
    pub fn ending(&self, end: &str) -> Vec<&str> {
        self.names.iter().filter_map(|name| name.strip_suffix(end)).collect()
    }

    /// `median (least to most)`.
    pub fn spread(&self, name: &str) -> String {
        let rounds = self.rounds(name);
        let (least, most) = (self.least(name), self.most(name));
        if rounds.is_empty() { "-".to_owned() } else { format!("{:.0} ({least:.0}-{most:.0})", self.median(name)) }
    }

    pub fn to_json(&self) -> serde_json::Value {
        let each = self.by_name.iter().map(|(name, rounds)| {
            let line = serde_json::json!({ "median": self.median(name), "rounds": rounds });
            (name.clone(), line)
        });
        serde_json::Value::Object(each.collect())
    }
}
