// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Does KVM work here?
#include "vm/kvm.h"

#include "base/cleanup.h"
#include "vm/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#define PROBE_MS 3000
#define PAGE 4096
#define HLT 0xf4

// What failed in the child, in the order of trying; its exit status.
enum step { STEP_DONE, STEP_VERSION, STEP_VM, STEP_MEMORY, STEP_CPU, STEP_REGISTERS, STEP_RUN, STEP_COUNT };

static const char *const step_names[] = {
	[STEP_VERSION] = "it is no KVM device, or too old",
	[STEP_VM] = "it makes no virtual machine",
	[STEP_MEMORY] = "it takes no memory",
	[STEP_CPU] = "it makes no virtual CPU",
	[STEP_REGISTERS] = "it does not set a CPU's registers",
	[STEP_RUN] = "a virtual CPU does not run",
};

static enum step run_cpu(int cpu, size_t run_size)
{
	struct kvm_regs regs = {.rflags = 2};
	struct kvm_sregs sregs;
	struct kvm_run *run;

	if (ioctl(cpu, KVM_GET_SREGS, &sregs) != 0)
		return STEP_REGISTERS;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(cpu, KVM_SET_SREGS, &sregs) != 0 || ioctl(cpu, KVM_SET_REGS, &regs) != 0)
		return STEP_REGISTERS;
	run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	if (run == MAP_FAILED || ioctl(cpu, KVM_RUN, 0) != 0 || run->exit_reason != KVM_EXIT_HLT)
		return STEP_RUN;
	return STEP_DONE;
}

// Runs in the child, which ends right after: nothing is closed.
static enum step probe(int device)
{
	struct kvm_userspace_memory_region region = {.memory_size = PAGE};
	int vm, cpu, run_size;
	uint8_t *page;

	if (ioctl(device, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return STEP_VERSION;
	vm = ioctl(device, KVM_CREATE_VM, 0);
	if (vm < 0)
		return STEP_VM;
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return STEP_MEMORY;
	page[0] = HLT;
	region.userspace_addr = (uint64_t)(uintptr_t)page;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) != 0)
		return STEP_MEMORY;
	cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	run_size = ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (cpu < 0 || run_size < (int)sizeof(struct kvm_run))
		return STEP_CPU;
	return run_cpu(cpu, (size_t)run_size);
}

static int judge(const char *device, int status, struct gb_error *err)
{
	int step = WIFEXITED(status) ? WEXITSTATUS(status) : STEP_RUN;

	if (step == STEP_DONE)
		return 0;
	return gb_fail(err, GB_ELACKS,
		       "KVM (%s) does not work here: %s; on a virtual machine, switch nested "
		       "virtualisation on, or use --accel tcg",
		       device, step < STEP_COUNT ? step_names[step] : step_names[STEP_RUN]);
}

int gb_kvm_probe(const char *device, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int fd = open(device, O_RDWR | O_CLOEXEC), pidfd = -1;
	int status = 0;
	pid_t pid;

	if (fd < 0 && errno == EACCES)
		return gb_fail(err, GB_ELACKS,
			       "you may not use KVM (%s); run: sudo adduser $USER kvm, log in again, or "
			       "use --accel tcg",
			       device);
	if (fd < 0)
		return gb_fail(err, GB_ELACKS,
			       "there is no KVM here (%s: %s): switch virtualisation on in the firmware "
			       "and run: sudo modprobe -a kvm-intel kvm-amd, or use --accel tcg",
			       device, strerror(errno));
	pid = fork();
	if (pid == 0)
		_exit((int)probe(fd));
	if (pid < 0)
		return gb_fail_os(err, "cannot start a process to try KVM in");
	pidfd = pidfd_open(pid, 0);
	if (pidfd < 0 || gb_pidfd_wait(pidfd, PROBE_MS, NULL) != 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return judge(device, status, err);
}
