;; A branch that carries many operands moves them with one instruction.
(module
  (type $ten (func (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (func $make (type $ten)
    (i32.const 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)
    (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9))
  (func $moved (type $ten)
    (block (type $ten)
      (i32.const 10)
      (call $make)
      (br_if 0 (i32.const 1))
      (br 0))))
