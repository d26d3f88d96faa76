//! Bands.
//!
//! Duty: which band a figure is in, what each band's slice is, when a band's fixed amount falls due. Not its duty: what
//! else decides.

use super::basis::Sum;
use super::method::Piece;
use crate::domain::Ratio;
use crate::rules::{Band, Edge};

/// A basis, and what lies before it where the year to date decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch<'s> {
    pub before: &'s Sum,
    pub sum: &'s Sum,
}

impl Stretch<'_> {
    /// What decides, all in all.
    pub fn decides(&self) -> Ratio {
        &self.before.decides + &self.sum.decides
    }
}

/// The band that holds a figure; the first one for a negative figure. Where two bands meet the edge says whose it is.
pub(super) fn reached(bands: &[Band], edge: Edge, figure: &Ratio) -> usize {
    let begun = |band: &Band| match edge {
        Edge::Lower => band.from <= *figure,
        Edge::Upper => band.from < *figure,
    };
    bands.iter().rposition(begun).unwrap_or(0)
}

/// The band reached, on all of it.
pub(super) fn whole(bands: &[Band], edge: Edge, stretch: Stretch<'_>) -> Vec<Piece> {
    let index = reached(bands, edge, &stretch.decides());
    let Some(band) = bands.get(index) else {
        return Vec::new();
    };
    let sum = stretch.sum;
    let piece = Piece::at(&name(index), sum.amount.clone(), band.rate.clone(), sum.lines);
    let entered = fixed(bands, edge, stretch, |i| i == index);
    std::iter::once(piece).chain(entered).collect()
}

/// Each band with its own slice; what is negative in all lies in the first. No band above the one that was decided on is
/// entered.
pub(super) fn marginal(bands: &[Band], edge: Edge, stretch: Stretch<'_>) -> Vec<Piece> {
    let top = reached(bands, edge, &stretch.decides());
    let start = stretch.before.amount.clone();
    let end = &start + &stretch.sum.amount;
    let pieces = bands.iter().enumerate().take(top + 1).map(|(index, band)| {
        let ceiling = bands.get(index + 1).filter(|_| index < top).map(|next| &next.from);
        let up_to = |figure: &Ratio| filled(index, &band.from, ceiling, figure);
        Piece::at(&name(index), up_to(&end) - up_to(&start), band.rate.clone(), 0)
    });
    let slices: Vec<Piece> = pieces.filter(|piece| !piece.basis.is_zero()).collect();
    slices
        .into_iter()
        .chain(fixed(bands, edge, stretch, |i| i <= top))
        .collect()
}

/// How much of a band lies below a figure.
fn filled(index: usize, from: &Ratio, ceiling: Option<&Ratio>, figure: &Ratio) -> Ratio {
    if index == 0 && figure.is_negative() {
        return figure.clone();
    }
    let end = ceiling.map_or(figure, |ceiling| figure.min(ceiling));
    if end > from { end - from } else { Ratio::zero() }
}

/// The fixed amounts of the bands that are entered here for the first time. The first band is entered by the first line
/// that counts, even one of zero.
fn fixed(bands: &[Band], edge: Edge, stretch: Stretch<'_>, is_asked: impl Fn(usize) -> bool) -> Vec<Piece> {
    if stretch.decides().is_negative() {
        return Vec::new();
    }
    let entered_before = (stretch.before.lines > 0).then(|| reached(bands, edge, &stretch.before.decides));
    let falls_due = |index: usize| is_asked(index) && entered_before.is_none_or(|before| index > before);
    bands
        .iter()
        .enumerate()
        .filter(|(index, band)| falls_due(*index) && !band.fixed.is_zero())
        .map(|(index, band)| Piece::of(&format!("{}:fixed", name(index)), band.fixed.clone()))
        .collect()
}

fn name(index: usize) -> String {
    format!("band:{}", index + 1)
}
