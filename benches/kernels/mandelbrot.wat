;; Escape times over an n × n grid: float arithmetic in locals, a loop with two
;; exits.
(module
  (func $escape (param $cx f64) (param $cy f64) (result i32)
    (local $x f64) (local $y f64) (local $xx f64) (local $yy f64) (local $i i32)
    (block $done
      (loop $iterate
        (local.set $y
          (f64.add
            (f64.mul (f64.mul (local.get $x) (local.get $y)) (f64.const 2))
            (local.get $cy)))
        (local.set $x
          (f64.add (f64.sub (local.get $xx) (local.get $yy)) (local.get $cx)))
        (local.set $xx (f64.mul (local.get $x) (local.get $x)))
        (local.set $yy (f64.mul (local.get $y) (local.get $y)))
        (br_if $done
          (f64.gt (f64.add (local.get $xx) (local.get $yy)) (f64.const 4)))
        (br_if $iterate
          (i32.lt_u
            (local.tee $i (i32.add (local.get $i) (i32.const 1)))
            (i32.const 200)))))
    (local.get $i))

  (func (export "run") (param $n i32) (result i64)
    (local $row i32) (local $column i32) (local $step f64) (local $sum i64)
    (local.set $step (f64.div (f64.const 3) (f64.convert_i32_u (local.get $n))))
    (loop $rows
      (local.set $column (i32.const 0))
      (loop $columns
        (local.set $sum
          (i64.add
            (i64.mul (local.get $sum) (i64.const 3))
            (i64.extend_i32_u
              (call $escape
                (f64.sub
                  (f64.mul (f64.convert_i32_u (local.get $column)) (local.get $step))
                  (f64.const 2))
                (f64.sub
                  (f64.mul (f64.convert_i32_u (local.get $row)) (local.get $step))
                  (f64.const 1.5))))))
        (br_if $columns
          (i32.lt_u
            (local.tee $column (i32.add (local.get $column) (i32.const 1)))
            (local.get $n))))
      (br_if $rows
        (i32.lt_u
          (local.tee $row (i32.add (local.get $row) (i32.const 1)))
          (local.get $n))))
    (local.get $sum)))
