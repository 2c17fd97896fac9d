//! Tables of handlers over operand classes.
//!
//! `leafN!(f, [O, X])` is the array of `f::<O, X, C>` over N classes `C`;
//! `gridNM!(f, [O])` the array of M-leaves over N classes, and so on. The order
//! of classes is that of [`crate::exec::regs::class`].

/// Results: slot and accumulator.
macro_rules! leaf2 {
    ($f:ident, [$($p:ty),*]) => { [$f::<$($p,)* S> as Handler, $f::<$($p,)* A>] };
}
/// Everything but constants.
macro_rules! leaf5 {
    ($f:ident, [$($p:ty),*]) => {
        [$f::<$($p,)* S> as Handler, $f::<$($p,)* A>, $f::<$($p,)* P0>, $f::<$($p,)* P1>, $f::<$($p,)* P2>]
    };
}
/// Every class.
macro_rules! leaf6 {
    ($f:ident, [$($p:ty),*]) => {
        [$f::<$($p,)* S> as Handler, $f::<$($p,)* A>, $f::<$($p,)* P0>, $f::<$($p,)* P1>, $f::<$($p,)* P2>, $f::<$($p,)* K>]
    };
}
/// Float results.
macro_rules! float_leaf2 {
    ($f:ident, [$($p:ty),*]) => { [$f::<$($p,)* FS> as Handler, $f::<$($p,)* FA>] };
}
/// Float operands.
macro_rules! float_leaf3 {
    ($f:ident, [$($p:ty),*]) => { [$f::<$($p,)* FS> as Handler, $f::<$($p,)* FA>, $f::<$($p,)* FK>] };
}

/// The array over five classes of what `$m` makes.
macro_rules! over5 {
    ($m:ident, $f:ident, [$($p:ty),*]) => {
        [$m!($f, [$($p,)* S]), $m!($f, [$($p,)* A]), $m!($f, [$($p,)* P0]), $m!($f, [$($p,)* P1]), $m!($f, [$($p,)* P2])]
    };
}
/// The array over six classes of what `$m` makes.
macro_rules! over6 {
    ($m:ident, $f:ident, [$($p:ty),*]) => {
        [$m!($f, [$($p,)* S]), $m!($f, [$($p,)* A]), $m!($f, [$($p,)* P0]), $m!($f, [$($p,)* P1]), $m!($f, [$($p,)* P2]), $m!($f, [$($p,)* K])]
    };
}
/// The array over float operand classes of what `$m` makes.
macro_rules! float_over3 {
    ($m:ident, $f:ident, [$($p:ty),*]) => {
        [$m!($f, [$($p,)* FS]), $m!($f, [$($p,)* FA]), $m!($f, [$($p,)* FK])]
    };
}

macro_rules! grid65 { ($f:ident, [$($p:ty),*]) => { over6!(leaf5, $f, [$($p),*]) }; }
macro_rules! grid62 { ($f:ident, [$($p:ty),*]) => { over6!(leaf2, $f, [$($p),*]) }; }
macro_rules! grid66 { ($f:ident, [$($p:ty),*]) => { over6!(leaf6, $f, [$($p),*]) }; }
macro_rules! grid56 { ($f:ident, [$($p:ty),*]) => { over5!(leaf6, $f, [$($p),*]) }; }
macro_rules! grid665 { ($f:ident, [$($p:ty),*]) => { over6!(grid65, $f, [$($p),*]) }; }
macro_rules! grid662 { ($f:ident, [$($p:ty),*]) => { over6!(grid62, $f, [$($p),*]) }; }
macro_rules! grid565 { ($f:ident, [$($p:ty),*]) => { over5!(grid65, $f, [$($p),*]) }; }
macro_rules! grid566 { ($f:ident, [$($p:ty),*]) => { over5!(grid66, $f, [$($p),*]) }; }
macro_rules! grid5662 { ($f:ident, [$($p:ty),*]) => { over5!(grid662, $f, [$($p),*]) }; }
macro_rules! float_grid32 { ($f:ident, [$($p:ty),*]) => { float_over3!(float_leaf2, $f, [$($p),*]) }; }
macro_rules! float_grid33 { ($f:ident, [$($p:ty),*]) => { float_over3!(float_leaf3, $f, [$($p),*]) }; }
macro_rules! float_grid332 { ($f:ident, [$($p:ty),*]) => { float_over3!(float_grid32, $f, [$($p),*]) }; }
macro_rules! float_grid32_to_int { ($f:ident, [$($p:ty),*]) => { float_over3!(leaf2, $f, [$($p),*]) }; }
macro_rules! float_grid332_to_int { ($f:ident, [$($p:ty),*]) => { float_over3!(float_grid32_to_int, $f, [$($p),*]) }; }

pub(crate) use {
    float_grid32, float_grid32_to_int, float_grid33, float_grid332, float_grid332_to_int,
    float_leaf2, float_leaf3, float_over3, grid56, grid62, grid65, grid66, grid565, grid566,
    grid662, grid665, grid5662, leaf2, leaf5, leaf6, over5, over6,
};
