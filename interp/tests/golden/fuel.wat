;; settings: fuel interruption
;; Fuel is charged per block; interruption checked at entries and loop heads.
(module
  (func $count (param i32) (result i32)
    (loop
      (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br 0))
    (unreachable))
  (func $straight (param i32) (result i32)
    (i32.mul (i32.add (local.get 0) (i32.const 1)) (local.get 0))))
