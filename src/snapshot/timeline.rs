//! When which revision of which coverage is in force, as far as it is published: numbers
//! and times alone, so that a moment is understood without asking the store.

use jiff::Timestamp;

use super::Moment;

/// The revisions of one coverage, ascending, each with the time from which it is in force;
/// the first of a coverage has none and reaches back without limit.
pub type Course = Vec<(u64, Option<Timestamp>)>;

/// The revisions of all coverages, in the order of the coverages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline(Vec<Course>);

impl Timeline {
    /// A timeline of what was published. Times must not decrease with numbers.
    #[must_use]
    pub fn new(courses: Vec<Course>) -> Self {
        Self(courses)
    }

    /// The revision of each coverage that a moment means; coverages that did not exist then
    /// are left out.
    #[must_use]
    pub fn numbers_at(&self, moment: Moment) -> Vec<u64> {
        let of = |course: &Course| {
            let until = match moment {
                // Nothing is before everything.
                Moment::At(time) => course.partition_point(|(_, from)| *from <= Some(time)),
                Moment::Revision(number) => course.partition_point(|(n, _)| *n <= number),
            };
            Some(course[until.checked_sub(1)?].0)
        };
        self.0.iter().filter_map(of).collect()
    }

    /// The highest number; 0 where nothing was published.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.0.iter().filter_map(|course| course.last()).map(|(number, _)| *number).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_means_the_last_revision_of_each_coverage_that_is_not_after_it() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        // Two revisions take effect at once: the later one is in force.
        let one = vec![(1, None), (3, Some(at(30))), (4, Some(at(30))), (6, Some(at(60)))];
        let timeline = Timeline::new(vec![one, vec![(2, None), (5, Some(at(50)))]]);
        for (moment, numbers) in [
            (Moment::At(at(-9_000)), vec![1, 2]),
            (Moment::At(at(29)), vec![1, 2]),
            (Moment::At(at(30)), vec![4, 2]),
            (Moment::At(at(55)), vec![4, 5]),
            (Moment::At(at(9_000)), vec![6, 5]),
            (Moment::Revision(0), vec![]),
            (Moment::Revision(1), vec![1]),
            (Moment::Revision(3), vec![3, 2]),
            (Moment::Revision(99), vec![6, 5]),
        ] {
            assert_eq!(timeline.numbers_at(moment), numbers, "{moment:?}");
        }
        assert_eq!((timeline.last(), Timeline::default().last()), (6, 0));
    }
}
