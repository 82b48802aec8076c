use crate::node::NodeId;
use crate::world::World;

/// How far off something was over a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// Root mean square.
    pub rms: f64,
    /// Greatest magnitude.
    pub max: f64,
    /// Mean.
    pub mean: f64,
}

/// A node's clock against true time over a while.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Record {
    /// Clock minus true time, seconds.
    pub error_s: Spread,
    /// Gain on true time, ppm.
    pub frequency_ppm: Spread,
    /// Moments looked at.
    pub count: u32,
}

#[derive(Default)]
struct Sum {
    plain: f64,
    square: f64,
    max: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        self.plain += value;
        self.square += value * value;
        self.max = self.max.max(value.abs());
    }

    fn spread(&self, count: u32) -> Spread {
        let count = f64::from(count.max(1));
        Spread {
            rms: (self.square / count).sqrt(),
            max: self.max,
            mean: self.plain / count,
        }
    }
}

impl World {
    /// Runs on to `until_s` and looks at a node's clock every `every_s` true seconds.
    pub fn record(&mut self, node: NodeId, until_s: f64, every_s: f64) -> Record {
        let (mut error_s, mut frequency_ppm, mut count) = (Sum::default(), Sum::default(), 0);
        let every_s = every_s.max(1e-3);
        while self.now_s() + every_s <= until_s + 1e-9 {
            self.run_until(self.now_s() + every_s);
            error_s.add(self.error_s(node));
            frequency_ppm.add(self.frequency_error_ppm(node));
            count += 1;
        }
        Record {
            error_s: error_s.spread(count),
            frequency_ppm: frequency_ppm.spread(count),
            count,
        }
    }

    /// Runs on until a node's clock stays within `bound_s` of true time for `for_s` seconds;
    /// true time at which that began, or `None` if it did not before `until_s`.
    pub fn settles(&mut self, node: NodeId, bound_s: f64, for_s: f64, until_s: f64) -> Option<f64> {
        let mut since_s = None;
        while self.now_s() < until_s {
            if self.error_s(node).abs() > bound_s {
                since_s = None;
            } else if since_s.is_none() {
                since_s = Some(self.now_s());
            }
            if since_s.is_some_and(|since_s| self.now_s() - since_s >= for_s) {
                return since_s;
            }
            self.run_until(self.now_s() + 1.0);
        }
        None
    }
}
