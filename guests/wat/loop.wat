;; Loops for ever, in the tightest loop there is. Outcome: a time-out, or a trap
;; when the fuel is used up.
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (loop $again (br $again))))
