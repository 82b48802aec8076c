//! Closed loop: the discipline against a modelled oscillator and a modelled Linux kernel.
mod bench;
mod convergence;
mod rules;
