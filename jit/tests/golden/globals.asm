func 0
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq 0x48(%rdi), %rsi
  movl (%rsi), %esi
  movq 0x50(%rdi), %rdi
  movq $0x5, (%rdi)
  jmp     label1
block1:
  leal (%rsi, %rsi), %eax
  movq %rbp, %rsp
  popq %rbp
  retq

func 1
  pushq %rbp
  movq %rsp, %rbp
block0:
  jmp     label1
block1:
  movq 0x58(%rdi), %rsi
  mulsd (%rsi), %xmm0
  movq %rbp, %rsp
  popq %rbp
  retq

func 2
  pushq %rbp
  movq %rsp, %rbp
block0:
  movl %esi, %esi
  movq 0x40(%rdi), %rdi
  movq %rsi, (%rdi)
  jmp     label1
block1:
  movq %rbp, %rsp
  popq %rbp
  retq
