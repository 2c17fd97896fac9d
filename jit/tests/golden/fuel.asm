func 0
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq (%rdi), %rax
  movq 0x20(%rax), %rcx
  subq $0x1, %rcx
  testq %rcx, %rcx
  jl #trap=user21
  movq %rcx, 0x20(%rax)
  movq 0x28(%rax), %rcx
  movl (%rcx), %edx
  testl %edx, %edx
  jnz #trap=user22
  jmp     label1
block1:
  movq 0x20(%rax), %rdx
  subq $0x5, %rdx
  testq %rdx, %rdx
  jl #trap=user21
  movq %rdx, 0x20(%rax)
  movl (%rcx), %edx
  testl %edx, %edx
  jnz #trap=user22
  subl $0x1, %esi
  testl %esi, %esi
  jnz     label2; j label3
block2:
  jmp     label1
block3:
  movq 0x20(%rax), %rcx
  movq %rcx, %rdx
  subq $0x1, %rdx
  testq %rdx, %rdx
  jl #trap=user21
  movq %rdx, 0x20(%rax)
  jmp     label4
block4:
  subq $0x2, %rcx
  testq %rcx, %rcx
  jl #trap=user21
  movq %rcx, 0x20(%rax)
  jmp     label5
block5:
  movq %rbp, %rsp
  popq %rbp
  retq
