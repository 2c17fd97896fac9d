;; A vector in and out, for `--invoke`.
(module
  (func (export "same") (param v128) (result v128) (local.get 0)))
