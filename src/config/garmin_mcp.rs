//! The revision of the Python worker that this build was reviewed with.

use jiff::civil::{Date, date};

/// A commit of `garmin_mcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReviewedRevision {
    /// The commit id: 40 hexadecimal digits.
    pub id: &'static str,
    /// The day of the commit.
    pub date: Date,
}

/// The newest revision that was reviewed. `worker install` takes it unless another one is given.
pub const REVIEWED: ReviewedRevision = ReviewedRevision {
    id: "3610be6feed93088d85b0f35aba9d7d07c2505a7",
    date: date(2026, 8, 4),
};

/// The age in days from which a revision may lack fixes for changes at Garmin.
const FRESH_DAYS: i32 = 60;

impl ReviewedRevision {
    /// Its age in days, if it is so old that a newer one should be reviewed.
    pub fn too_old(&self, today: Date) -> Option<i32> {
        let days = (today - self.date).get_days();
        (days > FRESH_DAYS).then_some(days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_old_after_sixty_days() {
        let age = |today| REVIEWED.too_old(today);
        assert_eq!(age(date(2026, 8, 5)), None);
        assert_eq!(age(date(2026, 10, 3)), None);
        assert_eq!(age(date(2026, 10, 4)), Some(61));
        assert_eq!(REVIEWED.id.len(), 40);
    }
}
