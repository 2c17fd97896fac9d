func 0
  pushq %rbp
  movq %rsp, %rbp
block0:
  movq 8(%rdi), %rcx
  movl -8(%rcx), %eax
  uninit  %rax
  xorl %eax, %eax
  jmp     label1
block1:
  movl -8(%rcx), %edx
  movl %esi, %edx
  movzbq (%rcx, %rdx), %rdx
  subl $0x1, %esi
  leal (%rax, %rdx), %eax
  testl %esi, %esi
  jnz     label2; j label3
block2:
  jmp     label1
block3:
  jmp     label4
block4:
  jmp     label5
block5:
  movq %rbp, %rsp
  popq %rbp
  retq
