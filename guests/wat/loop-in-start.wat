;; Loops for ever in its start function, before any export can be called.
;; Outcome: a time-out, or a trap when the fuel is used up.
(module
  (memory (export "memory") 1)
  (func $start
    (loop $again (br $again)))
  (start $start)
  (func (export "_start")))
