//! The system as a whole, against scripted servers and a clock that can be steered.
mod access;
mod clock;
mod events;
mod frequency;
mod local;
mod names;
mod one_shot;
mod pools;
mod reload;
mod sources;
mod telling;
mod world;
