//! How far values spread, how two series move together, and how much of both is chance.
//!
//! Days are not independent: a poor night follows a poor night. The number of observations is therefore reduced by the
//! correlation of each day with the next (Bartlett), or every second comparison would look like a finding.

use super::figures::{mean, median};

/// The standard deviation of the values without their outliers.
///
/// The median absolute deviation shows which values are outliers. Alone it would be too small for one person in three,
/// since it uses little of the data. The result is therefore at least the standard deviation of the values after
/// outliers are clamped to the border.
pub(super) fn robust_spread(values: &[f64], middle: f64) -> Option<f64> {
    /// The standard deviation of a normal distribution with a median absolute deviation of 1.
    const NORMAL: f64 = 1.4826;
    const BORDER: f64 = 2.5;
    /// Makes up for what the border takes away from a normal distribution.
    const CUT: f64 = 1.05;
    let narrow = median(values.iter().map(|value| (value - middle).abs()))? * NORMAL;
    let border = BORDER * narrow;
    let within: Vec<f64> = values
        .iter()
        .map(|value| value.clamp(middle - border, middle + border))
        .collect();
    Some(narrow.max(variance(&within)?.sqrt() * CUT))
}

/// The variance of a sample; `None` below two values.
pub(super) fn variance(values: &[f64]) -> Option<f64> {
    let middle = mean(values.iter().copied())?;
    let sum: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
    (values.len() > 1).then(|| sum / (values.len() - 1) as f64)
}

/// Spearman's correlation of ranks, from -1 to 1; `None` if one side has a single value.
pub(super) fn rank_correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let first = ranks(pairs.iter().map(|pair| pair.0));
    let second = ranks(pairs.iter().map(|pair| pair.1));
    correlation(&first, &second)
}

/// How much a value resembles the one before it, from -1 to 1.
pub(super) fn persistence(values: &[f64]) -> f64 {
    let earlier = values.get(..values.len().saturating_sub(1)).unwrap_or_default();
    let later = values.get(1..).unwrap_or_default();
    correlation(earlier, later).unwrap_or(0.0)
}

/// The number of independent observations that `count` persistent ones are worth. `persistence` is that of a series, or
/// for a correlation the product of both series' persistences.
pub(super) fn independent(count: usize, persistence: f64) -> f64 {
    let persistence = persistence.clamp(0.0, 0.95);
    count as f64 * (1.0 - persistence) / (1.0 + persistence)
}

/// The 95 % confidence interval of a correlation (Fisher's transformation).
pub(super) fn interval(correlation: f64, observations: f64) -> Option<(f64, f64)> {
    if observations <= 4.0 {
        return None;
    }
    let middle = correlation.clamp(-0.999, 0.999).atanh();
    let reach = 1.96 / (observations - 3.0).sqrt();
    Some(((middle - reach).tanh(), (middle + reach).tanh()))
}

fn correlation(first: &[f64], second: &[f64]) -> Option<f64> {
    let (x, y) = (mean(first.iter().copied())?, mean(second.iter().copied())?);
    let both: f64 = first.iter().zip(second).map(|(a, b)| (a - x) * (b - y)).sum();
    let sum = |values: &[f64], middle: f64| values.iter().map(|value| (value - middle).powi(2)).sum::<f64>();
    let scale = (sum(first, x) * sum(second, y)).sqrt();
    (scale > 0.0).then(|| both / scale)
}

/// The rank of each value. Equal values share the mean of their ranks.
fn ranks(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<(usize, f64)> = values.enumerate().collect();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut ranked: Vec<(usize, f64)> = Vec::with_capacity(sorted.len());
    for equal in sorted.chunk_by(|a, b| a.1.total_cmp(&b.1).is_eq()) {
        let rank = ranked.len() as f64 + (equal.len() - 1) as f64 / 2.0;
        ranked.extend(equal.iter().map(|(index, _)| (*index, rank)));
    }
    ranked.sort_by_key(|(index, _)| *index);
    ranked.into_iter().map(|(_, rank)| rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_does_not_change_the_spread() {
        let mut values: Vec<f64> = (0..40).map(|day| 48.0 + f64::from(day % 5)).collect();
        let calm = robust_spread(&values, 50.0).unwrap();
        values[4] = 90.0;
        let fever = robust_spread(&values, 50.0).unwrap();
        assert!(calm > 1.4 && fever < calm * 1.1, "{calm} {fever}");
    }

    #[test]
    fn ranks_that_agree_correlate_whatever_the_scale() {
        let rising: Vec<(f64, f64)> = (1..20).map(|x| (f64::from(x), f64::from(x).exp())).collect();
        assert_eq!(rank_correlation(&rising), Some(1.0));
        let falling: Vec<(f64, f64)> = rising.iter().map(|(x, y)| (*x, -y)).collect();
        assert_eq!(rank_correlation(&falling), Some(-1.0));
        assert_eq!(rank_correlation(&[(1.0, 5.0), (2.0, 5.0), (3.0, 5.0)]), None);
        assert_eq!(ranks([3.0, 1.0, 3.0].into_iter()), [1.5, 0.0, 1.5]);
    }

    #[test]
    fn persistent_days_are_worth_fewer_observations() {
        let slow: Vec<f64> = (0..60).map(|day| f64::from(day / 10)).collect();
        let quick: Vec<f64> = (0..60).map(|day| f64::from(day * 7 % 11)).collect();
        assert!(independent(60, persistence(&slow)) < 10.0);
        assert!(independent(60, persistence(&quick)) > 50.0);
        let (low, high) = interval(0.5, 28.0).unwrap();
        assert!(
            (low - 0.156).abs() < 0.001 && (high - 0.736).abs() < 0.001,
            "{low} {high}"
        );
        assert_eq!(interval(0.9, 4.0), None);
    }
}
