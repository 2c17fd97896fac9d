;; C = A × B for square matrices of f64 in row-major order, the way a C compiler
;; without vectorisation writes it: pointers that step, one accumulator.
(module
  (memory 64)

  ;; Fills n×n elements from $base with small, exactly representable values.
  (func $fill (param $base i32) (param $n i32) (param $seed i32)
    (local $end i32)
    (local.set $end
      (i32.add (local.get $base)
        (i32.shl (i32.mul (local.get $n) (local.get $n)) (i32.const 3))))
    (loop $next
      (local.set $seed
        (i32.add (i32.mul (local.get $seed) (i32.const 1103515245)) (i32.const 12345)))
      (f64.store (local.get $base)
        (f64.div
          (f64.convert_i32_s (i32.shr_s (local.get $seed) (i32.const 16)))
          (f64.const 1024)))
      (br_if $next
        (i32.lt_u
          (local.tee $base (i32.add (local.get $base) (i32.const 8)))
          (local.get $end)))))

  (func (export "run") (param $n i32) (result i64)
    (local $a i32) (local $b i32) (local $c i32) (local $row i32)
    (local $i i32) (local $j i32) (local $k i32)
    (local $pa i32) (local $pb i32) (local $pc i32)
    (local $sum f64) (local $total f64)
    (local.set $row (i32.shl (local.get $n) (i32.const 3)))
    (local.set $b (i32.mul (local.get $n) (local.get $row)))
    (local.set $c (i32.shl (local.get $b) (i32.const 1)))
    (call $fill (local.get $a) (local.get $n) (i32.const 1))
    (call $fill (local.get $b) (local.get $n) (i32.const 2))
    (local.set $pc (local.get $c))
    (loop $rows
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $sum (f64.const 0))
        (local.set $k (local.get $n))
        (local.set $pa
          (i32.add (local.get $a) (i32.mul (local.get $i) (local.get $row))))
        (local.set $pb
          (i32.add (local.get $b) (i32.shl (local.get $j) (i32.const 3))))
        (loop $products
          (local.set $sum
            (f64.add (local.get $sum)
              (f64.mul (f64.load (local.get $pa)) (f64.load (local.get $pb)))))
          (local.set $pa (i32.add (local.get $pa) (i32.const 8)))
          (local.set $pb (i32.add (local.get $pb) (local.get $row)))
          (br_if $products
            (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
        (f64.store (local.get $pc) (local.get $sum))
        (local.set $pc (i32.add (local.get $pc) (i32.const 8)))
        (local.set $total (f64.add (local.get $total) (local.get $sum)))
        (br_if $columns
          (i32.lt_u
            (local.tee $j (i32.add (local.get $j) (i32.const 1)))
            (local.get $n))))
      (br_if $rows
        (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (local.get $n))))
    (i64.reinterpret_f64 (local.get $total))))
