func 0
  pushq %rbp
  movq %rsp, %rbp
block0:
  jmp     label1
block1:
  movq 8(%rdi), %rax
  movl %esi, %ecx
  movzbq (%rax, %rcx), %rdi
  leal 1(%rsi), %r11d
  movl $0x2, %ecx
  movl %edi, %esi
  cmpl %ecx, %esi
  cmovbl %esi, %ecx
  br_table %rcx, %rsi, %rcx
block2:
  jmp     label13
block3:
  jmp     label5
block4:
  jmp     label9
block5:
  movl %r11d, %ecx
  movzbq (%rax, %rcx), %rcx
  leal 1(%rdx), %edx
  leal 1(%r11), %r11d
  movl $0x2, %esi
  movl %ecx, %ecx
  cmpl %esi, %ecx
  cmovbl %ecx, %esi
  br_table %rsi, %rdi, %rcx
block6:
  jmp     label13
block7:
  jmp     label5
block8:
  jmp     label9
block9:
  movl %r11d, %ecx
  movzbq (%rax, %rcx), %rcx
  shll $1, %edx
  leal 1(%r11), %r11d
  movl $0x2, %esi
  movl %ecx, %ecx
  cmpl %esi, %ecx
  cmovbl %ecx, %esi
  br_table %rsi, %rdi, %rcx
block10:
  jmp     label13
block11:
  jmp     label5
block12:
  jmp     label9
block13:
  jmp     label14
block14:
  jmp     label15
block15:
  movq %rdx, %rax
  movq %rbp, %rsp
  popq %rbp
  retq
