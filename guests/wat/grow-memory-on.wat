;; Asks for more memory again and again, the refusals ignored.
;; Outcome: a time-out, with a memory of the size that the limit allows.
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (loop $more
      (drop (memory.grow (i32.const 65535)))
      (drop (memory.grow (i32.const 100)))
      (br $more))))
