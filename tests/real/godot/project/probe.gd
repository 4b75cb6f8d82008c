# Prints what Godot made of the GLB files beside it, as JSON after "REPORT ".
extends SceneTree


func _init():
	var found = {}
	var folder = Directory.new()
	folder.open("res://")
	folder.list_dir_begin(true)
	var name = folder.get_next()
	while name:
		if name.ends_with(".glb"):
			found[name] = {}
			describe(load("res://" + name).instance(), found[name])
		name = folder.get_next()
	print("REPORT ", JSON.print(found))
	quit()


func describe(node, found):
	if node is Skeleton:
		found.bones = []
		for bone in node.get_bone_count():
			found.bones.append(node.get_bone_name(bone))
	if node is MeshInstance:
		var box = node.get_aabb()
		found.mesh = node.mesh.get_surface_count()
		found.shapes = node.mesh.get_blend_shape_count()
		found.size = [box.size.x, box.size.y, box.size.z]
		found.skinned = node.skin != null
		found.materials = {}
		for surface in found.mesh:
			var material = node.mesh.surface_get_material(surface)
			found.materials[material.resource_name] = {
				"roughness": material.roughness,
				"albedo": material.albedo_texture != null,
				"normal": material.normal_enabled,
				"occlusion": material.ao_enabled,
			}
	if node is AnimationPlayer:
		found.clips = {}
		for clip in node.get_animation_list():
			found.clips[clip] = [node.get_animation(clip).length, node.get_animation(clip).get_track_count()]
	for child in node.get_children():
		describe(child, found)
