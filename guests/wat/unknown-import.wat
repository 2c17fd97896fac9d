;; Imports what nobody provides: a misspelt WASI function, and things of an
;; unknown module. Outcome: an error that lists all of them and suggests
;; `fd_write` for the first.
(module
  (import "wasi_snapshot_preview1" "fd_wriet"
    (func (param i32 i32 i32 i32) (result i32)))
  (import "mystery" "function" (func (param externref) (result f64)))
  (import "mystery" "memory" (memory 1))
  (memory $own (export "memory") 1)
  (func (export "_start")))
