func 0
  pushq %rbp
  movq %rsp, %rbp
block0:
  cmpl %edx, %esi
  jl      label1; j label2
block1:
  jmp     label3
block2:
  movq %rdx, %rsi
  jmp     label3
block3:
  jmp     label4
block4:
  movq %rsi, %rax
  movq %rbp, %rsp
  popq %rbp
  retq

func 1
  pushq %rbp
  movq %rsp, %rbp
block0:
  movl $0x2, %edi
  movl %esi, %r8d
  cmpl %edi, %r8d
  cmovbl %r8d, %edi
  br_table %rdi, %rcx, %rax
block1:
  movl $0x14, %eax
  movq %rbp, %rsp
  popq %rbp
  retq
block2:
  movl $0xa, %eax
  movq %rbp, %rsp
  popq %rbp
  retq
block3:
  jmp     label4
block4:
  movl $0x1e, %eax
  movq %rbp, %rsp
  popq %rbp
  retq

func 2
  pushq %rbp
  movq %rsp, %rbp
block0:
  testl %edx, %edx
  jnz     label2; j label1
block1:
  jmp     label3
block2:
  leaq 1(%rsi), %rsi
  jmp     label3
block3:
  jmp     label4
block4:
  movq %rsi, %rax
  movq %rbp, %rsp
  popq %rbp
  retq
