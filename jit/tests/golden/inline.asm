func 0
  pushq %rbp
  movq %rsp, %rbp
block0:
  testl %esi, %esi
  jz      label4; j label1
block1:
  jmp     label2
block2:
  movq 8(%rdi), %r11
  movl %esi, %eax
  movl (%r11, %rax), %r11d
  jmp     label3
block3:
  leal (%r11, %rdx), %eax
  movq %rbp, %rsp
  popq %rbp
  retq
block4:
  movl $0xffffffff, %eax
  movq %rbp, %rsp
  popq %rbp
  retq

func 1
  pushq %rbp
  movq %rsp, %rbp
block0:
  testl %esi, %esi
  jz      label3; j label1
block1:
  jmp     label2
block2:
  movq 8(%rdi), %rcx
  movl %esi, %edx
  movl $0x7, %eax
  addl (%rcx, %rdx), %eax
  jmp     label4
block3:
  movl $0xffffffff, %eax
  jmp     label4
block4:
  jmp     label5
block5:
  shll $1, %eax
  movq %rbp, %rsp
  popq %rbp
  retq
